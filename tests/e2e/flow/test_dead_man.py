# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller dies under live traffic, and a Job in the cluster returns it; one that only froze is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.traffic.stand import until

pytestmark = pytest.mark.faults

_LEASE_S, _GRACE_S = 10, 4
_SET = "golive.cutover/set=notes-dead-man"
_KINDS = "jobs,pods,configmaps,serviceaccounts,roles,rolebindings"
# An observe that outlasts the run's death.
_LONG = {"release_observe_passes": 60}


def python_image() -> str:
    """Reference of the image with nothing but Python."""
    built = subprocess.run(
        [ROOT / "tests/images/build", "python", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    found: str = json.loads(Path(built.stdout.strip()).read_text())["python"]
    return found


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Stage:
    stage = make_stage(
        release_dead_man={"image": python_image(), "grace": _GRACE_S},
        release_lease_seconds=_LEASE_S,
        release_observe_passes=2,
    )
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    return stage


def test_traffic_comes_back_by_itself(own: Stage) -> None:
    wanted = _wanted(own, "killed")
    with own.load() as ledger:
        own.play_until("release.yml", "Observe | gate", 1, **wanted, **_LONG)
        assert _version(own) == wanted["app_version"]
        until(lambda: _version(own) != wanted["app_version"], _LEASE_S + _GRACE_S + 20, "the old release to be back")
        until(lambda: not _holder(own), 40, "the dead man to end")
        status = own.play("status.yml")
        assert "traffic returned by the dead man at" in status.output, status.output
        assert "changed from outside" not in status.output, status.output
        again = own.play("release.yml", **wanted)
        assert again.code == 0, again.output
    assert _version(own) == wanted["app_version"]
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    _nothing_is_left(own)


@pytest.mark.series
def test_a_frozen_run_is_refused_when_it_goes_on(own: Stage) -> None:
    wanted = _wanted(own, "frozen")
    old = _version(own)

    def returned() -> None:
        until(lambda: _version(own) == old and not _holder(own), _LEASE_S + _GRACE_S + 40, "the old release to be back")

    with own.load() as ledger:
        play = own.play_frozen("release.yml", "Observe | gate", returned, **wanted, **_LONG)
        assert play.code != 0, play.output
    assert "this run no longer holds the lock" in play.output, play.output
    assert "dead man on notes-dead-man-" in play.output, play.output
    assert _version(own) == old
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    _nothing_is_left(own)


@pytest.mark.series
def test_an_unfinished_release_can_be_withdrawn_after_it(own: Stage) -> None:
    wanted = _wanted(own, "withdrawn")
    old = _version(own)
    own.play_until("release.yml", "Observe | gate", 1, alone=True, **wanted, **_LONG)
    until(lambda: _version(own) == old and not _holder(own), _LEASE_S + _GRACE_S + 60, "the old release to be back")
    back = own.play("rollback.yml")
    assert back.code == 0, back.output
    assert _version(own) == old
    _nothing_is_left(own)


@pytest.mark.series
def test_a_successor_comes_before_it(own: Stage) -> None:
    """The next run takes the lock from a run that was killed on this machine; the dead man leaves traffic to it."""
    wanted = _wanted(own, "successor")
    with own.load() as ledger:
        own.play_until("release.yml", "Observe | gate", 1, **wanted, **_LONG)
        again = own.play("release.yml", **wanted)
        assert again.code == 0, again.output
    assert _version(own) == wanted["app_version"]
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    _nothing_is_left(own)


def test_what_cannot_be_returned_is_refused(own: Stage) -> None:
    play = own.play("release.yml", release_strategy="rolling", **_wanted(own, "refused"))
    assert play.code != 0
    assert "release_dead_man needs" in play.output, play.output


def _wanted(stage: Stage, run: str) -> dict[str, Any]:
    """Settings of a release that never was before."""
    new = "1.0.0" if _version(stage) == "2.0.0" else "2.0.0"
    return {"app_version": new, "migrate_target": "0002", "app_env": {"NOTES_RUN": run}}


def _version(stage: Stage) -> str:
    return stage.get("/readyz")[1]["X-App-Version"]


def _holder(stage: Stage) -> str:
    return kubectl("-n", stage.namespace, "get", "lease", "notes-golive", "-o", "jsonpath={.spec.holderIdentity}")


def _nothing_is_left(stage: Stage) -> None:
    def gone() -> bool:
        rows = kubectl("-n", stage.namespace, "get", _KINDS, "-l", _SET, "-o", "name").split()
        pods = kubectl(
            "-n", stage.namespace, "get", "pods", "-l", "app.kubernetes.io/name=notes-dead-man", "-o", "name"
        )
        return not rows and not pods.split()

    until(gone, 60, "the dead man's objects to go")
