# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of ``pgbackrest.conf``, for the server and for Jobs.

Options and their defaults: pgBackRest 2.60 configuration reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._backup.secret_wish import Repository, Wish
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import MASK

FILE = "pgbackrest.conf"
STANZA = "main"
# Where the Secret is mounted, both in the server's pod and in a Job's.
FOLDER = "/etc/pgbackrest"
_SECRET = re.compile(r"^(repo\d+-(?:s3-key|s3-key-secret|cipher-pass))=(.*)$")
_HTTPS = 443


@dataclass(frozen=True)
class Keys:
    """What the S3 server of a repository is asked with."""

    access_key: str
    secret_key: str


def server_text(wish: Wish, keys: Sequence[Keys], cipher: str) -> str:
    """The file of the server's pod, where PostgreSQL archives and ``pgbackrest server`` answers Jobs."""
    tls = {
        "tls-server-address": "*",
        "tls-server-cert-file": f"{FOLDER}/tls.crt",
        "tls-server-key-file": f"{FOLDER}/tls.key",
        "tls-server-ca-file": f"{FOLDER}/ca.crt",
        "tls-server-auth": f"{wish.client}={STANZA}",
    }
    return _text({**_global(wish, keys, cipher), **tls}, _database(wish))


def client_text(wish: Wish, keys: Sequence[Keys], cipher: str) -> str:
    """The file of Jobs, which reach the files of the server through ``pgbackrest server`` beside it."""
    host = {
        "pg1-host": wish.host,
        "pg1-host-type": "tls",
        "pg1-host-cert-file": f"{FOLDER}/tls.crt",
        "pg1-host-key-file": f"{FOLDER}/tls.key",
        "pg1-host-ca-file": f"{FOLDER}/ca.crt",
    }
    return _text(_global(wish, keys, cipher), {**_database(wish), **host})


def shown_text(text: str | None, other: str | None) -> str | None:
    """The file as a diff may show it; ``other`` is the other side, so that a changed secret shows as changed."""
    if text is None:
        return None
    others = {found[1]: found[2] for line in (other or "").splitlines() if (found := _SECRET.match(line))}
    return "".join(f"{_shown_line(line, others)}\n" for line in text.splitlines())


def _shown_line(line: str, others: Mapping[str, str]) -> str:
    found = _SECRET.match(line)
    if not found:
        return line
    return f"{found[1]}={MASK}" + ("" if others.get(found[1], found[2]) == found[2] else " (differs)")


def _global(wish: Wish, keys: Sequence[Keys], cipher: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for repository, key in zip(wish.repositories, keys, strict=True):
        found.update(_repository(repository, key, cipher))
    return {
        **found,
        # An asynchronous push that fails makes PostgreSQL crash where it is process 1 of its container.
        "archive-async": "n",
        "archive-copy": "y",
        "compress-level": "3",
        "compress-type": "zst",
        # What goes away is decided by its age and by what is known of it, not by a count.
        "expire-auto": "n",
        # With the store away each attempt takes twice that, and a server that stops makes some before it ends.
        "io-timeout": "10",
        "log-level-file": "off",
        "process-max": "2",
        "start-fast": "y",
    }


def _repository(one: Repository, keys: Keys, cipher: str) -> dict[str, str]:
    repo = f"repo{one.number}"
    return {
        f"{repo}-type": "s3",
        f"{repo}-s3-endpoint": one.endpoint,
        **({f"{repo}-storage-port": str(one.port)} if one.port != _HTTPS else {}),
        f"{repo}-s3-bucket": one.bucket,
        f"{repo}-s3-region": one.region,
        f"{repo}-s3-uri-style": one.uri_style,
        f"{repo}-s3-key": keys.access_key,
        f"{repo}-s3-key-secret": keys.secret_key,
        **({f"{repo}-storage-ca-file": f"{FOLDER}/{one.ca_file}"} if one.ca_secret else {}),
        f"{repo}-path": one.path,
        f"{repo}-cipher-type": "aes-256-cbc",
        f"{repo}-cipher-pass": cipher,
        f"{repo}-block": "y",
        f"{repo}-bundle": "y",
        # The most there is: without a number each backup warns, and with a small one `expire` would follow it.
        f"{repo}-retention-full": "9999999",
    }


def _database(wish: Wish) -> dict[str, str]:
    return {
        "pg1-path": wish.data,
        "pg1-socket-path": wish.socket,
        "pg1-user": wish.user,
    }


def _text(general: Mapping[str, str], stanza: Mapping[str, str]) -> str:
    lines = ["# Written by golive.cutover.backup_secret; what is changed here is lost.", "[global]"]
    lines += [f"{name}={value}" for name, value in general.items()]
    lines += ["", f"[{STANZA}]"] + [f"{name}={value}" for name, value in stanza.items()]
    return "\n".join(lines) + "\n"
