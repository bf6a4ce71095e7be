# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords change by two logins in turn, as docs/postgres-access.md says it, and no client fails to log in once."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pytest

from tests.integration.pg_access.conftest import Place

CLIENTS = 3


@dataclass
class Clients:
    """Log in again and again with what the file says, as pods do with a mounted Secret, and write down every try."""

    place: Place
    file: Path
    ended: threading.Event = field(default_factory=threading.Event)
    tries: list[tuple[int, str, str]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def write(self, short: str, password: str) -> None:
        """Switch the credentials, all at once."""
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"user": f"{self.place.name}_{short}", "password": password}))
        os.replace(new, self.file)

    def start(self) -> None:
        """Begin."""
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """End, and see them gone."""
        self.ended.set()
        for thread in self.threads:
            thread.join(30)

    def moved(self, short: str, since: int) -> None:
        """Wait until each client has logged in with the credentials of now; ``since`` is where they were switched."""
        end = time.monotonic() + 30
        while len({number for number, user, _said in self.tries[since:] if user.endswith(f"_{short}")}) < CLIENTS:
            assert time.monotonic() < end
            time.sleep(0.01)

    def _work(self, number: int) -> None:
        while not self.ended.is_set():
            known = json.loads(self.file.read_text())
            said = "ok"
            try:
                with (
                    closing(
                        psycopg2.connect(host="127.0.0.1", port=self.place.server.port, dbname=self.place.name, **known)
                    ) as connection,
                    connection.cursor() as cursor,
                ):
                    cursor.execute("INSERT INTO hits VALUES (current_user)")
                    connection.commit()
            except psycopg2.Error as error:
                said = str(error)
            self.tries.append((number, known["user"], said))


def test_two_logins_in_turn_without_one_failed_login(place: Place, tmp_path: Path) -> None:
    def see_to(**logins: dict[str, str]) -> None:
        wanted = [place.login("migrate", "owner")]
        wanted += [place.login(short, **options) for short, options in logins.items()]
        place.run(logins=wanted)
        assert place.run(check_mode=True, logins=wanted)["changed"] is False

    def sessions(short: str) -> int:
        logins = [place.login(one, password=None) for one in ("a", "b")]
        found = place.run(check_mode=True, logins=logins)["logins"]
        return next(int(one["sessions"]) for one in found if one["name"].endswith(f"_{short}"))

    first = {"password": place.password("a", 1)}
    see_to(a=first, b={"state": "disabled"})
    place.as_("migrate", "CREATE TABLE hits (who text)")
    clients = Clients(place, tmp_path / "credentials.json")
    clients.write("a", first["password"])
    clients.start()
    try:
        clients.moved("a", 0)
        live, idle, now = "a", "b", first
        for round_ in (2, 3, 4):
            new = {"password": place.password(idle, round_)}
            # 1. The idle login gets a new password. 2. The credentials switch. 3. The clients move.
            see_to(**{live: now, idle: new})
            since = len(clients.tries)
            clients.write(idle, new["password"])
            clients.moved(idle, since)
            end = time.monotonic() + 30
            while sessions(live):
                assert time.monotonic() < end
            # 4. The old one is disabled.
            see_to(**{live: {"state": "disabled"}, idle: new})
            place.shut_out(live, "not permitted to log in", now["password"])
            live, idle, now = idle, live, new
        since = len(clients.tries)
        clients.moved(live, since)
    finally:
        clients.stop()
    assert Counter(said for _number, _user, said in clients.tries) == {"ok": len(clients.tries)}
    used = Counter(user[-1] for _number, user, _said in clients.tries)
    assert set(used) == {"a", "b"}
    assert place.as_("migrate", "SELECT count(*) FROM hits") == [(len(clients.tries),)]
    for short in ("a", "b"):
        for round_ in (1, 2, 3):
            with pytest.raises(psycopg2.OperationalError):
                place.connect(short, place.password(short, round_))


def test_a_password_of_a_login_in_use_is_not_changed_by_mistake(place: Place) -> None:
    place.run(logins=[place.login("a")])
    new = place.password("a", 2)
    with closing(place.connect("a")):
        assert place.refused(logins=[place.login("a", password=new)]) == ["password_in_use"]
        place.connect("a").close()
        place.run(logins=[place.login("a", password=new, replace_in_use=True)])
    place.connect("a", new).close()
