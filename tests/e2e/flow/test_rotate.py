# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords change while the app serves and clients log in all the time: nobody fails, and old ones open nothing."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import tunnel_to
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.flow.stage import Stage

KINDS = ("", "-owner", "-reader")


@dataclass
class Clients:
    """Log in all the time with what the Secrets say at that moment, as each purpose, and write down every try."""

    namespace: str
    ended: threading.Event = field(default_factory=threading.Event)
    tries: list[tuple[str, str]] = field(default_factory=list)

    def login(self, of: str) -> dict[str, str]:
        """Name and password, read at once."""
        secret = json.loads(kubectl("-n", self.namespace, "get", "secret", f"notes-postgres{of}", "-o", "json"))
        values = {key: b64decode(value).decode() for key, value in secret["data"].items()}
        return {"user": values["username"], "password": values["password"]}

    def try_with(self, address: tuple[str, int], login: dict[str, str]) -> str:
        """What a login ends with."""
        host, port = address
        try:
            psycopg2.connect(hostaddr=host, port=port, dbname="notes", sslmode="require", **login).close()
        except psycopg2.OperationalError as error:
            return str(error)
        return "ok"

    @contextmanager
    def tunnel(self) -> Iterator[tuple[str, int]]:
        """A way to the database."""
        params = {"kubeconfig": os.environ.get("KUBECONFIG"), "context": None}
        target = {"namespace": self.namespace, "service": "notes-postgres"}
        with connected(call_for_tests(params)) as client, tunnel_to(client, target, 5432) as address:
            yield address

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """They log in while the block runs."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self.ended.set()
            thread.join(60)

    def _work(self) -> None:
        with self.tunnel() as address:
            while not self.ended.is_set():
                for of in KINDS:
                    login = self.login(of)
                    self.tries.append((login["user"], self.try_with(address, login)))


def _pooled() -> dict[str, Any]:
    """Settings of an app that connects through a pooler, whose idle connections end soon."""
    built = subprocess.run(
        [ROOT / "tests/images/build", "pgbouncer", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    image, version = json.loads(Path(built.stdout.strip()).read_text())["pgbouncer"].rsplit(":", 1)
    return {
        "postgres_pooler": True,
        "postgres_pooler_image": image,
        "postgres_pooler_version": version,
        "postgres_pooler_replicas": 1,
        "postgres_pooler_settings": {"server_idle_timeout": 5},
    }


@pytest.mark.series
@pytest.mark.parametrize("settings", [dict, _pooled], ids=["itself", "pooler"])
def test_passwords_change_and_nobody_fails_to_log_in(
    make_stage: Callable[..., Stage], settings: Callable[[], dict[str, Any]]
) -> None:
    stage = make_stage(**settings())
    brought = stage.play("site.yml")
    assert brought.code == 0, brought.output
    clients = Clients(stage.namespace)
    before = [clients.login(of) for of in KINDS]
    with stage.load(rate=20) as ledger, clients.at_work():
        # Interrupted when both logins are good: the next run goes on from there.
        stage.play_until("rotate.yml", "Rotate | let the pods read them")
        rotated = stage.play("rotate.yml", release_take_over=True)
    assert rotated.code == 0, rotated.output
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    assert Counter(said for _user, said in clients.tries) == {"ok": len(clients.tries)}
    after = [clients.login(of) for of in KINDS]
    assert {user for user, _said in clients.tries} == {one["user"] for one in (*before, *after)}
    for old, new in zip(before, after, strict=True):
        assert (old["user"][-2:], new["user"][-2:]) == ("_a", "_b")
        assert new["password"] not in rotated.output
    with clients.tunnel() as address:
        for old in before:
            assert "not permitted to log in" in clients.try_with(address, old)
    users = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'notes'"
    pod = ("exec", "-n", stage.namespace, "notes-postgres-0", "--")
    assert kubectl(*pod, "psql", "-U", "postgres", "-Atc", users).split() == ["notes_b"]
    assert stage.runs()[0]["purpose"] == "rotate"
    again = stage.play("site.yml")
    assert (again.code, again.changed) == (0, 0), again.output
