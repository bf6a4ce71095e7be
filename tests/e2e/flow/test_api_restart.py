# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server itself is killed, and comes back, while a release and its way back are under way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.cluster import processes
from tests.cluster.cli import DEFAULT_NAME
from tests.cluster.record import load_record
from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.traffic.stand import until

# Nobody else on the cluster has an API server meanwhile.
pytestmark = [pytest.mark.faults, pytest.mark.series, pytest.mark.alone]
V2 = {"app_version": "2.0.0", "migrate_target": "0002"}
_TRIES = 3


def _api_server() -> int:
    """Its pid; the supervisor starts it again a second after its end."""
    record = load_record(DEFAULT_NAME)
    assert record is not None
    (pid,) = (
        pid for pid in processes.members(record) if b"kube-apiserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return pid


def _kill() -> None:
    os.kill(_api_server(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("Shift | move", "Warm | wait"),
        ("Gate | ask", "Settle | drain"),
    ],
    ids=["shift-and-warm", "gate-and-settle"],
)
def test_there_and_back(cluster: dict[str, str], live: Stage, there: str, back: str) -> None:
    if cluster["GOLIVE_PROVIDER"] != "built":
        pytest.skip("only the built cluster has an API server that may be killed")
    with live.load() as ledger:
        _converges(live, "release.yml", there, "2.0.0", **V2)
        _converges(live, "rollback.yml", back, "1.0.0")
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])


def _converges(stage: Stage, playbook: str, moment: str, version: str, **variables: str) -> None:
    """The API server is killed at ``moment`` of the first run; every run that fails must say why in one clear error."""
    play = stage.play_and(playbook, moment, _kill, **variables)
    assert moment in play.output, play.output
    until(lambda: kubectl("get", "--raw", "/readyz", check=False) == "ok", 60, "the API server")
    for _more in range(_TRIES - 1):
        if play.code == 0:
            break
        assert "Traceback" not in play.output, play.output
        assert "Unexpected" not in play.output, play.output
        # Controllers may need longer than a run waits until they are at work again; then nothing moves the endpoints.
        late = "Waiting for endpoints of notes" in play.output and "Traffic was switched back to" in play.output
        assert "API server" in play.output or late, play.output
        play = stage.play(playbook, **variables)
    assert play.code == 0, play.output
    assert stage.get("/readyz")[1]["X-App-Version"] == version
