# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that runs and is wrong: restored beside, its clients led over behind a fence, and back again."""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import pg_switch
from tests.e2e.backup.killing import killed_when, until
from tests.e2e.backup.live_server import LiveServer
from tests.e2e.backup.store import bring_up
from tests.e2e.backup.test_backup import Shop
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.postgres.test_embedded import Embedded, Ran

_DR = Path(__file__).with_name("dr.yml")
_STATUS = Path(__file__).parents[1] / "postgres" / "status.yml"
# What it analyses by itself would count as transactions that no ledger knows.
_QUIET = {"postgres_settings": {"autovacuum": False}}


@dataclass(frozen=True)
class Beside(LiveServer, Shop):
    """The app's server by the name of the one that is live."""

    def sidecar(self, *command: str) -> str:
        return self.kubectl("exec", self.live(), "-c", "backup-server", "--", "pgbackrest", "--stanza=main", *command)

    def own(self, statement: str) -> None:
        """Run a statement as whoever migrates."""
        with self.server.tunnel() as address, closing(self.server.connect(*address, "-owner")) as session:
            session.cursor().execute(statement)

    def now(self) -> str:
        return self.sql("SELECT to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF')") + ":00"

    def recover(self, mode: str, *arguments: str, **variables: Any) -> Ran:
        return self.play(_DR, *arguments, postgres_restore_mode=mode, **_QUIET, **variables)

    def switch(self, to: str | None = None, **options: Any) -> dict[str, Any]:
        """The result of the verb, or its failure."""
        namespace = self.server.namespace
        superuser = {"namespace": namespace, "name": "shop-postgres-admin", "user_key": "username"}
        login = {"database": "postgres", "sslmode": "require", "password_secret": superuser}
        return call_verb(pg_switch, namespace=namespace, service="shop-postgres", to=to, postgresql=login, **options)


@dataclass
class Writer:
    """Commits one row after the other as the app would, over the Service, and keeps what was acknowledged."""

    shop: Shop
    committed: list[int] = field(default_factory=list)
    # When each of them was acknowledged.
    at: list[datetime] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def await_rows(self, count: int) -> None:
        """Wait until that many commits were acknowledged."""
        end = time.monotonic() + 60
        while len(self.committed) < count:
            assert time.monotonic() < end, f"{len(self.committed)} rows, wanted {count}"
            time.sleep(0.05)

    @contextmanager
    def at_work(self) -> Iterator[Writer]:
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def _work(self) -> None:
        number = 0
        while not self._over.is_set():
            try:
                with self.shop.server.tunnel() as address:
                    session = self.shop.server.connect(*address)
                    with session.cursor() as cursor:
                        while not self._over.is_set():
                            number += 1
                            cursor.execute("INSERT INTO written VALUES (%s)", (number,))
                            self.committed.append(number)
                            self.at.append(datetime.now(timezone.utc))
                            time.sleep(0.05)
            except (psycopg2.Error, GoliveError):
                time.sleep(0.2)


@pytest.fixture(scope="module")
def shop(cluster: dict[str, str]) -> Iterator[Beside]:
    """A server with a full backup, and two tables of the app's owner."""
    namespace = f"golive-beside-{secrets.token_hex(4)}"
    kubectl("create", "namespace", namespace)
    made = Beside(Embedded(namespace), bring_up(namespace))
    ran = made.play(**_QUIET)
    assert ran.code == 0, ran.output
    made.own("CREATE TABLE written (n int PRIMARY KEY)")
    made.own("CREATE TABLE precious AS SELECT generate_series(1, 500) AS id")
    assert not made.backup(type="full", run="first").get("failed")
    yield made
    kubectl("delete", "namespace", namespace, "--wait=false", check=False)


def lost_by(ran: Ran) -> int:
    """How many transactions the run says are lost."""
    found = re.search(r"(\d+) committed transactions were lost", " ".join(ran.output.split()))
    assert found is not None, ran.output
    return int(found[1])


def test_a_mistake_is_undone_beside_and_the_loss_is_that_of_the_ledger(shop: Beside) -> None:
    with Writer(shop).at_work() as writer:
        writer.await_rows(20)
        moment = shop.now()
        writer.await_rows(40)
        shop.own("DROP TABLE precious")
        shop.sidecar("check")
        wish = {"postgres_restore_target": {"kind": "time", "value": moment}}
        before, objects = shop.live(), shop.server.versions()
        planned = shop.recover("beside", "--check", **wish)
        assert planned.code == 0, planned.output
        assert "would be restored from" in " ".join(planned.output.split())
        assert "restore" not in shop.kubectl("get", "jobs,pvc", "-o", "name")
        refused = shop.recover("beside", **wish)
        assert refused.code != 0
        said = " ".join(refused.output.split())
        assert "The live database goes on, and nothing of it was changed" in said, refused.output
        assert re.search(r"-e postgres_restore_accept_loss=\d+", said)
        assert (shop.live(), shop.pods(), shop.server.versions()) == (before, [before], objects)
        writer.await_rows(len(writer.committed) + 20)
        done = shop.recover("beside", postgres_restore_accept_loss=100000, **wish)
        assert done.code == 0, done.output
        writer.await_rows(len(writer.committed) + 20)
    assert shop.pods() == [shop.live()] == ["shop-postgres-2-0"]
    assert shop.sql("SELECT count(*) FROM precious") == "500"
    there = {int(one) for one in shop.sql("SELECT n FROM written").split()}
    lost = sorted(set(writer.committed) - there)
    # One run of rows, from the moment to the fence: nothing before, and nothing behind it. Besides, DROP TABLE is lost.
    taken = [one for one in writer.committed if lost[0] <= one <= lost[-1]]
    assert lost == taken
    # Of a commit that the fence has cut the answer may not have come.
    assert lost_by(done) - 1 - len(lost) in (0, 1)
    # It archives on a timeline of its own, and has a full backup there.
    newest = max(shop.listed())
    assert (newest[-1], shop.listed()[newest]["archive"]["start"][:8]) == ("F", "00000002")
    again = shop.recover("beside", **wish)
    assert (again.code, again.changed) == (0, 0), again.output
    assert "Nothing was restored now" in " ".join(again.output.split())
    other = shop.recover("beside")
    assert other.code != 0
    assert "still keeps shop-postgres as its way back" in " ".join(other.output.split())
    status = shop.play(_STATUS)
    assert "The volume of shop-postgres is kept as the way back." in " ".join(status.output.split())


def test_the_way_back_is_one_command_until_it_is_settled(shop: Beside) -> None:
    shop.own("CREATE TABLE newer (n int)")
    restored = shop.sql("SELECT count(*) FROM written")
    refused = shop.recover("return")
    assert refused.code != 0
    assert "The live database goes on" in " ".join(refused.output.split())
    assert shop.pods() == ["shop-postgres-2-0"]
    done = shop.recover("return", postgres_restore_accept_loss=1000)
    assert done.code == 0, done.output
    assert shop.pods() == [shop.live()] == ["shop-postgres-0"]
    # What the mistake had taken is away again, and what came behind the moment is back.
    assert shop.sql("SELECT to_regclass('precious') IS NULL AND to_regclass('newer') IS NULL") == "t"
    assert int(shop.sql("SELECT count(*) FROM written")) > 0
    assert restored != shop.sql("SELECT count(*) FROM written")
    with shop.server.tunnel() as address, shop.server.connect(*address) as session, session.cursor() as cursor:
        cursor.execute("INSERT INTO written VALUES (-1)")
    newest = max(shop.listed())
    assert (newest[-1], shop.listed()[newest]["archive"]["start"][:8]) == ("F", "00000001")
    again = shop.recover("return")
    assert (again.code, again.changed) == (0, 0), again.output
    volume = shop.server.get("persistentvolumeclaim/data-shop-postgres-2-0", "{.spec.volumeName}")
    kept = shop.recover("settle")
    assert kept.code != 0
    assert f"-e postgres_restore_discard={volume}" in " ".join(kept.output.split())
    runs = [shop.switch(state="settled", discard=volume, check=check) for check in (True, False, True, False)]
    assert [one["changed"] for one in runs] == [True, True, False, False], runs
    assert shop.kubectl("get", "pvc", "-o", "name").split() == ["persistentvolumeclaim/data-shop-postgres-0"]
    settled = shop.recover("settle")
    assert (settled.code, settled.changed) == (0, 0), settled.output


@pytest.mark.faults
def test_killed_in_each_phase_the_same_command_goes_on(shop: Beside) -> None:
    shop.own("DROP TABLE IF EXISTS gone; CREATE TABLE gone AS SELECT generate_series(1, 70) AS id")
    shop.sql("SELECT pg_sleep(1)")
    wish: dict[str, Any] = {
        "postgres_restore_target": {"kind": "time", "value": shop.now()},
        "postgres_restore_accept_loss": 1000,
        "postgres_restore_reason": "of a test",
    }
    shop.sql("SELECT pg_sleep(1)")
    shop.own("DROP TABLE gone")
    shop.sidecar("check")

    def there(*what: str) -> Callable[[], bool]:
        return lambda: shop.kubectl("get", *what, "--ignore-not-found", "-o", "name") != ""

    command = shop.server.command(_DR, **shop.settings, **_QUIET, postgres_restore_mode="beside", **wish)
    killed_when(command, there("jobs", "-l", "app.kubernetes.io/component=restore"))
    assert shop.live() == "shop-postgres-0"
    killed_when(command, there("pod/shop-postgres-2-0"))
    assert shop.live() == "shop-postgres-0"
    with shop.fence_held() as session:
        killed_when(command, shop.is_fenced)
        session.rollback()
    assert shop.live() == "shop-postgres-0"
    with pytest.raises(psycopg2.OperationalError, match="not currently accepting connections"):
        shop.own("SELECT 1")
    # The way out.
    off = shop.switch("shop-postgres")
    assert (off["changed"], off["kept"]) == (True, None), off
    shop.own("SELECT 1")
    # A commit between the first count and the fence is more than was accepted: all of it is taken back.
    held = json.loads(
        shop.server.get("pvc/data-shop-postgres-2-0", r"{.metadata.annotations.golive\.cutover/restored}")
    )
    to: dict[str, Any] = {"to": "shop-postgres-2", "ends_at": held["ends_at"], "reason": "of a test"}
    shown = shop.switch(**to, check=True)
    assert shown["code"] == "loss_not_accepted", shown
    with shop.fence_held() as session, ThreadPoolExecutor() as pool:
        running = pool.submit(lambda: shop.switch(**to, accept_loss=shown["transactions_lost"]))
        until(shop.is_fenced, running.running)
        # Somebody else who takes a fence back that seems to be left would let writes in that nobody has counted.
        other = shop.switch("shop-postgres")
        assert (other.get("code"), shop.is_fenced()) == ("busy", True), other
        session.commit()
        refused = running.result()
    assert (refused["code"], refused["transactions_lost"]) == ("loss_not_accepted", shown["transactions_lost"] + 1)
    shop.own("SELECT 1")
    assert shop.live() == "shop-postgres-0"
    # The quartet, behind which the run goes on as after a kill behind the switch.
    runs = [shop.switch(**to, accept_loss=1000, check=check, diff=True) for check in (True, False, True, False)]
    assert [one["changed"] for one in runs] == [True, True, False, False], runs
    assert runs[0]["diff"] == runs[1]["diff"]
    assert shop.pods() == ["shop-postgres-0", "shop-postgres-2-0"]
    done = shop.recover("beside", **wish)
    assert done.code == 0, done.output
    assert shop.pods() == [shop.live()] == ["shop-postgres-2-0"]
    assert shop.sql("SELECT count(*) FROM gone") == "70"
    assert max(shop.listed())[-1] == "F"


@pytest.mark.series
def test_a_planned_move_loses_nothing_and_a_loss_beyond_the_accepted_stops_it(shop: Beside) -> None:
    seen = shop.switch()
    if seen["kept"]:
        shop.switch(state="settled", discard=seen["kept"]["volume"])
    before, beside = shop.live(), seen["beside"]
    claim = f"pvc/data-{beside}-0"

    def rows(pod: str) -> set[int]:
        asked = ("psql", "-U", "postgres", "-d", "shop", "-Atc", "SELECT n FROM written")
        return {int(one) for one in shop.kubectl("exec", pod, "-c", "postgres", "--", *asked).split()}

    shop.own("TRUNCATE written")
    with Writer(shop).at_work() as writer:
        writer.await_rows(20)
        shop.sidecar("check")
        stale = shop.recover("beside")
        assert stale.code != 0
        told = re.search(r"-e postgres_restore_accept_loss=(\d+)", stale.output)
        assert told is not None, stale.output
        assert 0 < int(told[1]) <= len(writer.committed) + 1
        # Accepted is more than what is lost before the fence, and less than behind it.
        moving = shop.server.command(
            _DR, **shop.settings, **_QUIET, postgres_restore_mode="beside", postgres_restore_accept_loss=100000
        )
        killed_when(moving, lambda: f"{beside}-0" in shop.pods())
        shop.kubectl("wait", f"pod/{beside}-0", "--for=condition=Ready", "--timeout=60s")
        held = json.loads(shop.server.get(claim, r"{.metadata.annotations.golive\.cutover/restored}"))
        to: dict[str, Any] = {"to": beside, "ends_at": held["ends_at"], "reason": "of a test"}
        accepted = shop.switch(**to, check=True)["transactions_lost"] + 60
        with shop.session("postgres") as session, session.cursor() as cursor, ThreadPoolExecutor() as pool:
            session.autocommit = False
            cursor.execute("LOCK TABLE pg_database IN SHARE ROW EXCLUSIVE MODE")
            running = pool.submit(lambda: shop.switch(**to, accept_loss=accepted))
            until(lambda: shop.sql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0", running.running)
            writer.await_rows(len(writer.committed) + 80)
            session.rollback()
            refused = running.result()
        assert (refused["code"], refused["transactions_lost"] > accepted) == ("loss_not_accepted", True), refused
        assert shop.live() == before
        writer.await_rows(len(writer.committed) + 20)
    there = rows(before)
    assert set(writer.committed) <= there
    # The last number that was never acknowledged is the one that the fence has cut.
    cut = max(set(range(1, max(writer.committed))) - set(writer.committed))
    assert refused["transactions_lost"] == len([one for one in there - rows(f"{beside}-0") if one <= cut])
    # Nobody writes, and the end of the log is archived: so a new copy has all of it.
    shop.sidecar("check")
    planned = shop.recover("beside", postgres_restore_discard=shop.server.get(claim, "{.spec.volumeName}"))
    assert planned.code == 0, planned.output
    assert lost_by(planned) == 0
    assert shop.pods() == [shop.live()] == [f"{beside}-0"]
    assert rows(shop.live()) == there
