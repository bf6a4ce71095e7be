# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollback that takes the data back with it is killed in each phase; the same command ends as an undisturbed one."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import pg_switch
from tests.e2e.backup.killing import killed_when
from tests.e2e.backup.live_server import LiveServer
from tests.e2e.backup.store import bring_up
from tests.e2e.conftest import kubectl
from tests.e2e.flow.ends import end_of
from tests.e2e.flow.stage import Stage
from tests.e2e.flow.watched import holder
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.postgres.test_embedded import Embedded
from tests.e2e.traffic.stand import until

pytestmark = [pytest.mark.faults, pytest.mark.series]

_BACK: dict[str, Any] = {"rollback_to": "1.0.0", "rollback_data": "restore", "postgres_restore_accept_loss": 1000}
# What the task's heading says, in the order of the run, and the seconds from it to the kill.
_TASKS = (
    ("Way back | name the backup", 0),
    ("Switch | refuse a loss", 0),
    ("Lock | take the lock", 0.3),
    ("Shift | move", 1),
    ("Settle | record", 0),
    ("Embedded | have the server and its volume", 0.3),
)
# What is seen in the cluster.
_SEEN = ("copy", "server", "fence", "led", "backup")


@dataclass
class Own:
    """The app, its database, and what an undisturbed rollback with data leaves."""

    stage: Stage
    server: LiveServer
    undisturbed: dict[str, Any] | None = None

    def release(self, run: str) -> None:
        """From 1.0.0 to 2.0.0, with a note of each."""
        self._write(f"before {run}")
        release = self.stage.play("release.yml", app_version="2.0.0", migrate_target="0002", app_env={"RUN": run})
        assert release.code == 0, release.output
        self._write(f"behind {run}")

    def end(self, run: str) -> dict[str, Any]:
        """What the release left, and what of it bears the run's name or the server's is told by that."""
        notes = [text for text in self.server.sql("SELECT text FROM notes").split("\n") if text.endswith(f" {run}")]
        kept = self._kept()
        by_type: dict[str, list[dict[str, Any]]] = {}
        for one in self._backups():
            by_type.setdefault(one["type"], []).append(one.get("annotation") or {})
        restored = f"{kept['by']}-{self.server.live().removesuffix('-0')}-{kept['since']}"
        return {
            "live": until(self._live_and_ready, 60, "the pods of the live release"),
            # What is left needs a column that the data lacks, so that it is not ready.
            "other": {**end_of(self.stage)["other"], "ready": None},
            "notes": notes,
            "columns": self.server.sql("SELECT count(*) FROM information_schema.columns WHERE table_name = 'notes'"),
            "pods": [pod == self.server.live() for pod in self.server.pods()],
            "servers": len(self._names("statefulset")),
            "claims": len(self._names("pvc")),
            "kept": (kept["by"], kept["reason"].partition(" by ")[0]),
            "fenced": self.server.is_fenced(),
            "locked": holder(self.stage),
            "jobs at work": self._jobs(""),
            "full backups of it": sum(one.get("run") == restored for one in by_type["full"]),
            "newest": self._backups()[-1]["type"],
        }

    def settle(self) -> None:
        """Give the server of before up, as nothing else is restored until then."""
        own: dict[str, Any] = {"namespace": self.stage.namespace, "service": "notes-postgres"}
        if kept := call_verb(pg_switch, **own)["kept"]:
            settled = call_verb(pg_switch, **own, state="settled", discard=kept["volume"])
            assert settled["changed"], settled

    def seen(self, what: str) -> Callable[[], bool]:
        """Whether that is to be seen, which it is not yet."""
        live = self.server.live()
        return {
            "copy": lambda: self._jobs("-restore") != [],
            "server": lambda: [one for one in self.server.pods() if one != live] != [],
            "fence": self.server.is_fenced,
            "led": lambda: self.server.live() != live,
            "backup": lambda: self._jobs("-backup-full") != [],
        }[what]

    def _live_and_ready(self) -> dict[str, Any] | None:
        live: dict[str, Any] = end_of(self.stage)["live"]
        return live if live["ready"] == live["replicas"] else None

    def _write(self, text: str) -> None:
        self.server.sql(f"INSERT INTO notes (text) VALUES ('{text}')")

    def _kept(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.server.server.get("service/notes-postgres", r"{.metadata.annotations.golive\.cutover/kept}")
        )
        return found

    def _backups(self) -> list[dict[str, Any]]:
        pod = ("exec", self.server.live(), "-c", "backup-server", "--")
        told = self._kubectl(*pod, "pgbackrest", "--stanza=main", "info", "--output=json")
        found: list[dict[str, Any]] = json.loads(told)[0]["backup"]
        return found

    def _jobs(self, word: str) -> list[str]:
        """Names of the Jobs at work that a word is in."""
        found = json.loads(self._kubectl("get", "jobs", "-o", "json"))["items"]
        names = [one["metadata"]["name"] for one in found if (one.get("status") or {}).get("active")]
        return [name for name in names if word in name]

    def _names(self, kind: str) -> list[str]:
        return self._kubectl("get", kind, "-o", "name").split()

    def _kubectl(self, *arguments: str) -> str:
        return kubectl("-n", self.stage.namespace, *arguments)


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Own:
    """An app whose database has backups, released and rolled back once with its data."""
    stage = make_stage()
    kubectl("create", "namespace", stage.namespace)
    store = bring_up(stage.namespace)
    stage.settings |= {
        "postgres_image": "golive.test/postgres-backup",
        "postgres_version": "17",
        "backup_repositories": [store.repository(tunnel=store.tunnel)],
        # How long it looks is for other tests.
        "release_soak": 1,
        "release_verify_passes": 1,
        "release_observe_passes": 2,
    }
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    made = Own(stage, LiveServer(Embedded(stage.namespace, app="notes")))
    made.release("undisturbed")
    back = stage.play("rollback.yml", **_BACK)
    assert back.code == 0, back.output
    made.undisturbed = made.end("undisturbed")
    return made


def _cases() -> list[Any]:
    names = [text.replace(" |", "").replace(" ", "-").lower() for text, unused in _TASKS]
    return [pytest.param(*one, id=name) for one, name in zip(_TASKS, names, strict=True)]


def test_undisturbed(own: Own) -> None:
    assert own.undisturbed is not None
    assert own.undisturbed["notes"] == ["before undisturbed"]
    assert own.undisturbed["claims"] == own.undisturbed["servers"] + 1 == 2
    assert (own.undisturbed["full backups of it"], own.undisturbed["newest"]) == (1, "full")
    assert (own.undisturbed["locked"], own.undisturbed["fenced"], own.undisturbed["jobs at work"]) == ("", False, [])


@pytest.mark.parametrize(("text", "after"), _cases())
def test_killed_at_a_task(own: Own, text: str, after: float, request: pytest.FixtureRequest) -> None:
    run = request.node.callspec.id
    own.settle()
    own.release(run)
    assert text in own.stage.play_until("rollback.yml", text, after, **_BACK)
    _goes_on(own, run)


@pytest.mark.parametrize("what", _SEEN)
def test_killed_when_seen(own: Own, what: str) -> None:
    own.settle()
    own.release(what)
    command = own.stage.command("rollback.yml", (), _BACK)
    with ExitStack() as stack:
        if what == "fence":
            session = stack.enter_context(own.server.fence_held())
        killed_when(command, own.seen(what))
        if what == "fence":
            session.rollback()
    _goes_on(own, what)


def test_a_later_one_to_the_same_release_is_not_taken_for_the_one_that_is_kept(own: Own) -> None:
    # The case before has left its way back.
    own.release("later")
    refused = own.stage.play("rollback.yml", **_BACK)
    assert refused.code != 0, refused.output
    assert "as its way back, rolled back to 1.0.0 by 20" in " ".join(refused.output.split())
    assert own.stage.get("/readyz")[1]["X-App-Version"] == "2.0.0"
    own.settle()
    _goes_on(own, "later")


def _goes_on(own: Own, run: str) -> None:
    """The same command again ends as an undisturbed one."""
    again = own.stage.play("rollback.yml", **_BACK)
    assert again.code == 0, again.output
    assert own.undisturbed is not None
    assert own.end(run) == {**own.undisturbed, "notes": [f"before {run}"]}
