# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Through an API server in trouble a play converges, or stops with one clear error that a rerun gets over.

Live traffic never sees any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.flow.faulty_api import Faults, FaultyApi, faulty_api
from tests.e2e.flow.stage import Stage

# Which calls fail is chance, so that a play may need several runs: too long for every CI run.
pytestmark = [pytest.mark.faults, pytest.mark.series]

_TRIES = 3
V2 = {"app_version": "2.0.0", "migrate_target": "0002"}
# Written by every release and rollback while traffic moves.
_LIVE_SERVICE = "/services/notes?"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyApi]:
    with faulty_api(tmp_path_factory.mktemp("faulty")) as found:
        yield found


@pytest.fixture(scope="module")
def through(api: FaultyApi, make_stage: Callable[..., Stage]) -> Stage:
    """An app that knows the cluster only through the proxy; it goes live while one call of ten fails."""
    stage = make_stage(golive_kube={"kubeconfig": str(api.kubeconfig)})
    api.faults = Faults(share=0.1)
    _converges(stage, "site.yml")
    assert set(api.injected) >= {"429", "500", "reset", "lost answer", "slow"}
    return stage


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (Faults(share=0.1), Faults(outage_after=_LIVE_SERVICE)),
        (Faults(watch_s=1.0), Faults(share=0.1)),
        (Faults(stale=0.5), Faults(watch_s=1.0, stale=0.5)),
        (Faults(outage_after=_LIVE_SERVICE, outage_s=15), Faults(stale=0.5)),
    ],
    ids=["failing-and-outage", "watch-and-failing", "stale-and-watch", "long-outage-and-stale"],
)
def test_there_and_back(api: FaultyApi, through: Stage, there: Faults, back: Faults) -> None:
    api.injected.clear()
    with through.load() as ledger:
        api.faults = there
        _converges(through, "release.yml", **V2)
        assert through.get("/readyz")[1]["X-App-Version"] == "2.0.0"
        api.faults = back
        _converges(through, "rollback.yml")
        assert through.get("/readyz")[1]["X-App-Version"] == "1.0.0"
    assert api.injected, "nothing was injected"
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])


def _converges(stage: Stage, playbook: str, **variables: Any) -> None:
    """Run until it succeeds; every run that does not must say why in one clear error."""
    for attempt in range(_TRIES):
        play = stage.play(playbook, **variables)
        if play.code == 0:
            return
        assert "Traceback" not in play.output, play.output
        assert "Unexpected" not in play.output, play.output
        assert any(word in play.output for word in ("o answer from the API server", "injected by the test")), (
            attempt,
            play.output,
        )
    raise AssertionError(play.output)
