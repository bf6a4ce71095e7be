# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app moves from SQLite to PostgreSQL under load: no acknowledged write is lost, and no way back loses one."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import ROOT, Stage
from tests.e2e.flow.watched import version
from tests.integration.postgres import binaries

_CLAIM = "notes-data"
_OLD: dict[str, Any] = {
    "app_version": "0.9.0",
    "app_replicas": 1,
    "app_claims": [{"name": _CLAIM, "mount": "/data"}],
    "app_env": {"DATABASE_PATH": "/data/notes.db"},
    "postgres_mode": "none",
    "migrate_path": "",
    "app_track_soak": 1,
    "release_soak": 1,
    "release_observe_passes": 2,
}
# Nothing answers there.
_NOWHERE = {
    "name": "never there",
    "kind": "http",
    "path": "/nowhere",
    "tunnel": "{{ release_live }}",
    "timeout": 1,
}


@dataclass
class Writer:
    """Writes notes one after the other, each over a new connection, and remembers who acknowledged which."""

    port: int
    acknowledged: list[tuple[float, str, str]] = field(default_factory=list)
    refused: list[tuple[float, int]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def write(self, text: str) -> int:
        """One note; the status of the answer, 0 without one."""
        body = json.dumps({"text": text}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/notes", body)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.acknowledged.append((time.monotonic(), text, answer.headers["X-App-Version"]))
                return int(answer.status)
        except urllib.error.HTTPError as error:
            self.refused.append((time.monotonic(), error.code))
            return error.code
        except OSError:
            self.refused.append((time.monotonic(), 0))
            return 0

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """While the block runs."""
        self._stop.clear()

        def run() -> None:
            number = 0
            while not self._stop.wait(0.02):
                number += 1
                self.write(f"a {name} {number}")

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def gap(self, old: str, new: str) -> float:
        """Seconds between the last write that one version acknowledged and the first one of the other."""
        return min(at for at, _text, by in self.acknowledged if by == new) - max(
            at for at, _text, by in self.acknowledged if by == old
        )


@dataclass
class Move:
    """The app on its file; ``new`` are the settings that move it."""

    stage: Stage
    writer: Writer
    new: dict[str, Any]

    def rows(self) -> list[str]:
        """The notes that PostgreSQL has."""
        query = "SELECT text FROM notes"
        place = ("-n", self.stage.namespace, "statefulset/notes-postgres")
        return kubectl("exec", *place, "--", "psql", "-U", "postgres", "-d", "notes", "-Atc", query).splitlines()


@pytest.fixture(scope="module")
def move(make_stage: Callable[..., Stage]) -> Move:
    """notes 0.9.0 is live, with its file in a claim."""
    binaries()
    built = subprocess.run(
        [ROOT / "tests/images/build", "python", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    stage = make_stage(**_OLD)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": _CLAIM},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    }
    kubectl("create", "namespace", stage.namespace)
    kubectl("apply", "-n", stage.namespace, "-f", "-", stdin=json.dumps(claim))
    play = stage.play("site.yml", "--skip-tags", "preflight")
    assert play.code == 0, play.output
    new = {
        "app_version": "1.0.0",
        "app_claims": [],
        "app_env": {},
        "postgres_mode": "embedded",
        "migrate_path": str(ROOT / "tests/app/migrations"),
        "migrate_sqlite_claim": _CLAIM,
        "migrate_sqlite_path": "notes.db",
        "migrate_job_image": json.loads(Path(built.stdout.strip()).read_text())["python"],
        "release_sqlite_cutover": True,
    }
    database = stage.play("site.yml", "--tags", "postgres", **new)
    assert database.code == 0, database.output
    return Move(stage, Writer(stage.port), new)


def test_a_killed_cutover_is_withdrawn_and_the_file_takes_writes_again(move: Move) -> None:
    stage, writer = move.stage, move.writer
    with stage.load(rate=20) as ledger, writer.writing("killed"):
        stage.play_until("release.yml", "Shift | record the phase", **move.new)
        # Nobody is there to end it, and still no write gets lost: none is taken.
        assert (version(stage), writer.write("a frozen one")) == ("0.9.0", 503)
        assert stage.get("/notes?q=killed")[0] == 200
        back = stage.play("rollback.yml", "--skip-tags", "preflight", **move.new)
        assert back.code == 0, back.output
        assert (version(stage), writer.write("a thawed one")) == ("0.9.0", 201)
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    assert {by for _at, _text, by in writer.acknowledged} == {"0.9.0"}


def test_it_moves_under_load_and_loses_nothing(move: Move, capsys: pytest.CaptureFixture[str]) -> None:
    stage, writer = move.stage, move.writer
    with stage.load(rate=20) as ledger, writer.writing("moved"):
        play = stage.play("release.yml", **move.new)
        assert play.code == 0, play.output
    assert version(stage) == "1.0.0"
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    kept = move.rows()
    lost = {text for _at, text, _by in writer.acknowledged} - set(kept)
    assert (lost, len(kept)) == (set(), len(set(kept)))
    assert {code for _at, code in writer.refused} == {503}
    gap = writer.gap("0.9.0", "1.0.0")
    with capsys.disabled():
        print(f"\nread-only for {gap:.1f} s, {len(kept)} notes of {len(writer.acknowledged)} acknowledged")
    assert gap < 30
    phases = {phase["phase"]: phase["verdict"] for phase in stage.runs()[0]["phases"]}
    assert phases["freeze"]["copy"]["rows"] <= len(kept)
    again = stage.play("release.yml", "--skip-tags", "preflight", **move.new)
    assert (again.code, again.changed) == (0, 0), again.output


def test_a_return_that_would_lose_writes_is_refused(move: Move) -> None:
    back = move.stage.play("rollback.yml", "--skip-tags", "preflight", **move.new)
    assert back.code != 0
    assert "would lose what PostgreSQL has taken since: public.notes" in back.output, back.output
    assert version(move.stage) == "1.0.0"
    assert move.writer.write("a later one") == 201
    assert "a later one" in move.rows()


@pytest.mark.series
def test_a_return_that_may_lose_them_leads_back_to_the_kept_file(move: Move) -> None:
    stage, writer = move.stage, move.writer
    if version(stage) == "0.9.0":
        # Without the tests before it.
        assert writer.write("a thawed one") == 201
        play = stage.play("release.yml", **move.new)
        assert (play.code, writer.write("a later one")) == (0, 201), play.output
    back = stage.play("rollback.yml", **move.new, release_lose_writes=True)
    assert back.code == 0, back.output
    assert version(stage) == "0.9.0"
    assert "a thawed one" in stage.get("/notes?q=thawed")[2]
    assert writer.write("a returned one") == 201


@pytest.mark.series
def test_a_gate_before_the_shift_lets_the_file_go_and_one_behind_it_does_not(move: Move) -> None:
    stage, writer = move.stage, move.writer
    assert (version(stage), writer.write("a kept one")) == ("0.9.0", 201)
    stage.play_until("release.yml", "Shift | record the phase", **move.new)
    assert writer.write("a frozen one") == 503
    failing: dict[str, Any] = {"release_gates": [{**_NOWHERE, "tunnel": "{{ release_preview }}"}]}
    play = stage.play("release.yml", **move.new, **failing, release_verify_timeout=3)
    assert play.code != 0
    assert "was refused before it took traffic" in play.output, play.output
    assert (version(stage), writer.write("a late one")) == ("0.9.0", 201)
    # Nothing stands in the way of the next try, which has what came meanwhile.
    with writer.writing("held"):
        play = stage.play("release.yml", **move.new, release_observe_gates=[_NOWHERE], release_observe_timeout=3)
    assert play.code != 0
    assert "would lose what PostgreSQL has taken since: public.notes" in play.output, play.output
    assert version(stage) == "1.0.0"
    assert {"a kept one", "a late one"} <= set(move.rows())
    play = stage.play("release.yml", **move.new)
    assert play.code == 0, play.output
    assert version(stage) == "1.0.0"
    assert {text for _at, text, _by in writer.acknowledged if " held " in text} <= set(move.rows())
