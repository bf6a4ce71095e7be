# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of ``pgbackrest.conf`` for a server and for Jobs, and what of it may be shown."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.secret_file import (
    Keys,
    client_text,
    server_text,
    shown_text,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.secret_wish import Wish, wish_from
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

FIRST: dict[str, Any] = {
    "endpoint": "s3.example.org",
    "port": 443,
    "bucket": "backups",
    "region": "eu-central-1",
    "path": "/production/shop",
    "uri_style": "host",
    "secret": {"name": "keys", "key": "access_key", "secret_key": "secret_key"},
    "ca_secret": None,
}
SECOND = {
    **FIRST,
    "endpoint": "s3.far",
    "port": 9000,
    "uri_style": "path",
    "ca_secret": {"name": "ca", "key": "ca.crt"},
}
KEYS = [Keys("AK1", "hidden-1"), Keys("AK2", "hidden-2")]


def wish(*repositories: dict[str, Any], **options: Any) -> Wish:
    server = {"host": "shop-0.shop.svc", "data": "/data/pg", "socket": "/var/run/postgresql", "user": "postgres"}
    given = {"namespace": "shop", "name": "shop-backup", "labels": None, "new_key": False, **options}
    return wish_from({**given, "repositories": list(repositories), "server": {**server, **options.pop("server", {})}})


def sections(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            found[line.strip("[]")] = {}
        elif not line.startswith("#"):
            name, value = line.split("=", 1)
            assert name not in list(found.values())[-1]
            list(found.values())[-1][name] = value
    return found


def test_the_server_knows_its_stores_and_who_may_ask_it() -> None:
    found = sections(server_text(wish(FIRST, SECOND), KEYS, "pass=word"))
    general = found["global"]
    assert general["repo1-s3-key"] == "AK1"
    assert (general["repo2-s3-key-secret"], general["repo2-cipher-pass"]) == ("hidden-2", "pass=word")
    assert (general["repo1-cipher-type"], general["repo2-cipher-type"]) == ("aes-256-cbc", "aes-256-cbc")
    assert (general["repo1-s3-uri-style"], general["repo2-s3-uri-style"]) == ("host", "path")
    assert "repo1-storage-port" not in general
    assert "repo1-storage-ca-file" not in general
    assert (general["repo2-storage-port"], general["repo2-storage-ca-file"]) == ("9000", "/etc/pgbackrest/repo2-ca.crt")
    assert general["tls-server-auth"] == "shop-backup-client=main"
    assert found["main"] == {"pg1-path": "/data/pg", "pg1-socket-path": "/var/run/postgresql", "pg1-user": "postgres"}


def test_nothing_is_lost_by_a_setting() -> None:
    """An asynchronous push can crash PostgreSQL, a limited queue leaves out WAL, and expiry is not by number."""
    for text in (server_text(wish(FIRST), KEYS[:1], "x"), client_text(wish(FIRST), KEYS[:1], "x")):
        general = sections(text)["global"]
        assert (general["archive-async"], general["expire-auto"]) == ("n", "n")
        assert "archive-push-queue-max" not in text
        assert general["repo1-retention-full"] == "9999999"


def test_a_job_asks_the_server_and_serves_nobody() -> None:
    found = sections(client_text(wish(FIRST), KEYS[:1], "x"))
    assert not [name for name in found["global"] if name.startswith("tls-server")]
    assert (found["main"]["pg1-host"], found["main"]["pg1-host-type"]) == ("shop-0.shop.svc", "tls")
    assert found["main"]["pg1-host-key-file"] == "/etc/pgbackrest/tls.key"


def test_no_secret_is_shown_and_a_change_of_one_is() -> None:
    before, after = (server_text(wish(FIRST), keys, "hidden-c") for keys in (KEYS[:1], [Keys("AK1", "hidden-3")]))
    shown = [shown_text(before, after) or "", shown_text(after, before) or ""]
    assert "hidden" not in "".join(shown)
    assert "AK1" not in "".join(shown)
    assert "repo1-s3-key=********\n" in shown[0]
    assert "repo1-s3-key-secret=******** (differs)\n" in shown[1]
    assert shown_text(None, after) is None


@pytest.mark.parametrize(
    ("repositories", "options", "said"),
    [
        ([], {}, "0 entries"),
        ([FIRST, SECOND, {**SECOND, "path": "/x"}], {}, "3 entries"),
        ([FIRST, FIRST], {}, "same place"),
        ([{**FIRST, "endpoint": "https://s3.example.org"}], {}, "endpoint of repository 1"),
        ([{**FIRST, "path": "/"}], {}, "path of repository 1"),
        ([{**FIRST, "region": "x\nrepo1-type=posix"}], {}, "region of repository 1"),
        ([FIRST], {"server": {"data": "/x\n[global]"}}, "server.data"),
        ([FIRST], {"name": "x" * 58}, "more than 57"),
    ],
)
def test_what_would_be_read_otherwise_is_refused(
    repositories: list[dict[str, Any]], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(GoliveError, match=said) as refused:
        wish(*repositories, **options)
    assert refused.value.code == "invalid"
