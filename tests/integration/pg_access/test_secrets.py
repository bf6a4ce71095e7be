# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No password, and no stored form of one, is where somebody could read it; those that are set really open the door."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.pg_access.conftest import Place, standard
from tests.integration.postgres import PASSWORD, Server


@pytest.fixture(scope="module")
def talkative() -> Iterator[Server]:
    """A server that logs every statement, and counts them."""
    server = Server.create(
        {
            "log_statement": "all",
            "log_min_duration_statement": "0",
            "log_min_error_statement": "debug5",
            "shared_preload_libraries": "pg_stat_statements",
        }
    )
    yield server
    server.remove()


def test_secrets_are_nowhere(talkative: Server) -> None:
    place = Place(talkative, "quiet")
    wish = {"logins": standard(place), "extensions": [{"name": "pg_stat_statements"}]}
    place.admin("CREATE EXTENSION pg_stat_statements")
    results = [place.run(check_mode=True, **wish), place.run(**wish)]
    changed = [place.login("a", password=place.password("a", 2))]
    results += [place.run(check_mode=True, logins=changed), place.run(logins=changed)]
    failed = place.error(logins=[place.login("z", settings={"work_mem": "much"})])
    secrets = [place.password(short) for short in ("migrate", "a", "metrics", "z")]
    secrets += [place.password("a", 2), PASSWORD]
    kept = "SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'quiet%' AND rolpassword IS NOT NULL"
    secrets += [row[0] for row in place.admin(kept)]
    assert len(secrets) == 9
    texts = {
        "results": json.dumps(results),
        "error": f"{failed} {failed.details}",
        "progress and warnings": str(place.shown + place.warnings),
        "the server's log": (talkative.directory / "log").read_text(),
        "the server's counts": str(place.admin("SELECT query FROM pg_stat_statements")),
    }
    assert "CREATE DATABASE" in texts["the server's log"]
    for where, text in texts.items():
        assert not [secret for secret in secrets if secret in text], where
        assert "SCRAM-SHA-256$" not in text, where


@pytest.mark.parametrize(
    "password", ["plain", 'it\'s "quoted" \\ $1 %s', "Pässwörd ✓", "\u2168 \u00aa", "I\u00adX", "a\u00a0b", "x" * 900]
)
def test_a_password_that_is_set_opens_the_door(place: Place, password: str) -> None:
    """What is computed here is what the server and libpq compute."""
    wish = {"logins": [place.login("a", password=password)]}
    place.run(**wish)
    place.connect("a", password).close()
    place.shut_out("a", "password authentication failed", "wrong")
    assert place.run(**wish)["changed"] is False
    # And what the server computes of the clear text is known here.
    with place.server.connect().cursor() as cursor:
        cursor.execute(f"ALTER ROLE {place.name}_a PASSWORD %s", (password,))
    assert place.run(**wish)["changed"] is False


def test_a_password_that_is_kept_as_md5_is_kept_as_scram_afterwards(place: Place) -> None:
    place.run(logins=[place.login("a")])
    place.admin(f"SET password_encryption = 'md5'; ALTER ROLE {place.name}_a PASSWORD '{place.password('a')}'")
    kept = f"SELECT left(rolpassword, 5) FROM pg_authid WHERE rolname = '{place.name}_a'"
    assert place.admin(kept)[0][0].startswith("md5")
    assert place.run(logins=[place.login("a")])["changed"] is True
    assert place.admin(kept) == [("SCRAM",)]
    assert place.run(logins=[place.login("a")])["changed"] is False
