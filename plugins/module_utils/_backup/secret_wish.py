# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verb ``backup_secret`` is asked for: where the repositories are, and the server that is backed up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_ENDPOINT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_PATH = re.compile(r"(/[A-Za-z0-9._-]+)+")
_WORD = re.compile(r"[A-Za-z0-9._-]+")
_PLACE = re.compile(r"/[^\s]*")
# pgBackRest 2.60 takes more; a second one is what guards against the loss of the first.
_MOST = 2
# The common name of a certificate ends there, and pgBackRest tells its clients apart by that.
_LONGEST = 57


@dataclass(frozen=True)
class Repository:
    """One place in an S3 store; ``number`` from 1. The Secrets hold its keys and the authority of its certificate."""

    number: int
    endpoint: str
    port: int
    bucket: str
    region: str
    path: str
    uri_style: str
    secret: str
    access_key: str
    secret_key: str
    ca_secret: str | None
    ca_key: str

    @property
    def ca_file(self) -> str:
        """Key of the authority's certificate in the Secrets that are written."""
        return f"repo{self.number}-ca.crt"


@dataclass(frozen=True)
class Wish:
    """``host`` is where Jobs reach the server ``name``; ``data`` and ``socket`` are folders in its container."""

    namespace: str
    name: str
    repositories: tuple[Repository, ...]
    host: str
    data: str
    socket: str
    user: str
    labels: Mapping[str, str]
    new_key: bool

    @property
    def client(self) -> str:
        """The Secret for Jobs, and the common name of the certificate in it."""
        return f"{self.name}-client"

    @property
    def key(self) -> str:
        """The Secret with the passphrase."""
        return f"{self.name}-key"


def wish_from(params: Mapping[str, Any]) -> Wish:
    """What validated options ask for; raises GoliveError ``invalid``."""
    server = params["server"]
    repositories = tuple(_repository(number, row) for number, row in enumerate(params["repositories"], 1))
    wish = Wish(
        params["namespace"],
        params["name"],
        repositories,
        server["host"],
        server["data"],
        server["socket"],
        server["user"],
        params["labels"] or {},
        params["new_key"],
    )
    _refuse_bad(wish)
    return wish


def _repository(number: int, row: Mapping[str, Any]) -> Repository:
    authority = row["ca_secret"] or {"name": None, "key": ""}
    return Repository(
        number,
        row["endpoint"],
        row["port"],
        row["bucket"],
        row["region"],
        row["path"],
        row["uri_style"],
        row["secret"]["name"],
        row["secret"]["key"],
        row["secret"]["secret_key"],
        authority["name"],
        authority["key"],
    )


def _refuse_bad(wish: Wish) -> None:
    if not 1 <= len(wish.repositories) <= _MOST:
        raise _invalid(f"repositories has {len(wish.repositories)} entries", "Name one or two.")
    if len(wish.name) > _LONGEST:
        raise _invalid(f"the name {wish.name} has more than {_LONGEST} letters", "Choose a shorter one.")
    rules = [("server.host", _ENDPOINT, wish.host), ("server.user", _WORD, wish.user)]
    rules += [("server.data", _PLACE, wish.data), ("server.socket", _PLACE, wish.socket)]
    for one in wish.repositories:
        rules += [
            (f"endpoint of repository {one.number}", _ENDPOINT, one.endpoint),
            (f"bucket of repository {one.number}", _BUCKET, one.bucket),
            (f"region of repository {one.number}", _WORD, one.region),
            (f"path of repository {one.number}", _PATH, one.path),
        ]
    for what, rule, value in rules:
        if not rule.fullmatch(value):
            raise _invalid(f"the {what} is {value!r}", _HINTS.get(what.split()[0], "Correct it."))
    places = {(one.endpoint, one.port, one.bucket, one.path) for one in wish.repositories}
    if len(places) < len(wish.repositories):
        raise _invalid("both repositories are the same place", "Choose another store, bucket or path for one of them.")


_HINTS = {
    "endpoint": "Write the host alone, such as s3.example.org, and the port under port; TLS is always used.",
    "path": "Write it like /production/shop, so that nobody else uses the same.",
}


def _invalid(what: str, hint: str) -> GoliveError:
    return GoliveError("invalid", f"Describing the repositories of a backup failed: {what}.", hint)
