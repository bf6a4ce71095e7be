# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What libpq's words mean, and what stands in for options that are not given."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, settings
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import connect_error

AT = 'connection to server at "db.example.org" (192.0.2.1), port 5432 failed: '


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (AT + 'FATAL:  password authentication failed for user "shop"', "auth_failed"),
        (AT + "fe_sendauth: no password supplied", "auth_failed"),
        (AT + 'FATAL:  role "shop" does not exist', "auth_failed"),
        (AT + 'FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "a", database "b", SSL off', "auth_failed"),
        (AT + 'FATAL:  database "nowhere" does not exist', "database_missing"),
        (AT + "FATAL:  sorry, too many clients already", "too_many_connections"),
        (AT + "FATAL:  remaining connection slots are reserved for roles with SUPERUSER", "too_many_connections"),
        (AT + "FATAL:  the database system is starting up", "starting"),
        (AT + "server does not support SSL, but SSL was required", "tls"),
        (AT + "SSL error: certificate verify failed", "tls"),
        ('root certificate file "/x" does not exist', "tls"),
        (AT + "SSL SYSCALL error: EOF detected", "unreachable"),
        (AT + "Connection refused\n\tIs the server running on that host?", "unreachable"),
        ('could not translate host name "db" to address: Name or service not known', "unreachable"),
        ("server closed the connection unexpectedly", "unreachable"),
        ('connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory', "unreachable"),
        (AT + "FATAL:  Passwort-Authentifizierung für Benutzer »shop« fehlgeschlagen", "connect_failed"),
    ],
)
def test_words_of_a_failed_connection(text: str, code: str) -> None:
    error = connect_error("database shop on db.example.org:5432", RuntimeError(text))
    assert error.code == code
    assert error.message.startswith("Connecting to database shop on db.example.org:5432 failed: ")
    assert "\n" not in error.message


def test_options_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGPASSWORD", "from-the-environment")
    assert settings({"host": "here", "password": None}) == Settings(
        host="here", port=6000, password="from-the-environment"
    )
    assert settings({"host": "here", "port": 1, "password": "from-a-secret"}) == Settings(
        host="here", port=1, password="from-a-secret"
    )


def test_a_port_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "postgres")
    with pytest.raises(GoliveError, match="PGPORT") as caught:
        settings(None)
    assert caught.value.code == "invalid"


def test_passwords_do_not_show_in_a_settings_text() -> None:
    where = settings({"password": "planted-secret", "database": "shop", "user": "shop", "host": "db"})
    assert "planted-secret" not in f"{where} {where!r}"
    assert str(where) == "database shop on db:5432 as user shop"
