# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A healthy app for a quarter of an hour, with a release, its way back and the usual intervals: nobody is called."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.flow.stage import Stage
from tests.e2e.monitoring.conftest import live_stage
from tests.e2e.monitoring.receiver import messages
from tests.e2e.monitoring.test_embedded import ask
from tests.e2e.node_ports import free_node_port

pytestmark = [pytest.mark.series, pytest.mark.timeout(2400)]
WHOLE_S = 900


@pytest.fixture(scope="module")
def calm(
    cluster: dict[str, str], programs: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A stage with users and a backup, watched as one in production is."""
    port = free_node_port()
    own = {"app_expose": {"node_port": port}, "release_probe_url": f"http://127.0.0.1:{port}/readyz"}
    with live_stage(tmp_path_factory, own) as stage:
        stage.port, stage.load_program = port, programs["load"]
        backed = stage.play("backup.yml")
        assert backed.code == 0, backed.output
        yield stage


def test_only_the_watchdog_fires(calm: Stage) -> None:
    began = time.monotonic()
    with calm.load(rate=20, seconds=WHOLE_S + 600) as ledger:
        for playbook, wanted in (
            ("release.yml", {"app_version": "2.0.0", "migrate_target": "0002"}),
            ("rollback.yml", {}),
        ):
            time.sleep(WHOLE_S / 3)
            play = calm.play(playbook, **wanted)
            assert play.code == 0, play.output
        time.sleep(max(0.0, WHOLE_S - (time.monotonic() - began)))
        over = ask(calm, f'query?query=count_over_time(ALERTS{{alertstate="firing"}}[{WHOLE_S}s])')["result"]
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    assert {one["metric"]["alertname"] for one in over} == {"Watchdog"}, over
    assert {one.name for one in messages(calm.namespace)} == {"Watchdog"}
