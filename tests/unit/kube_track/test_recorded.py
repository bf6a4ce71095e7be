# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row that a cluster can show: recorded objects, judged against the clock."""

from __future__ import annotations

import pytest

from tests.unit.kube_track.scenes import judge, look, recorded

# name of the recording: code, class, seconds it must last first
ROWS = {
    "invalid-name": ("image_name_invalid", "R", 1),
    "never-pull": ("image_never_pull", "R", 1),
    "unknown-registry": ("image_registry_unknown", "I", 4),
    "no-secret": ("config_missing", "C", 20),
    "volume-without-secret": ("config_missing", "C", 20),
    "no-command": ("container_start_failed", "R", 0),
    "crash": ("crash_loop", "R", 0),
    "init-fails": ("crash_loop", "R", 0),
    "out-of-memory": ("oom_killed", "R", 0),
    "never-ready": ("never_ready", "R", 8.3),
    "closed-gate": ("gate_unknown", "I", 120),
    "no-node": ("unschedulable", "K", 15),
    "no-account": ("service_account_missing", "C", 6),
    "no-volume": ("pvc_unprovisionable", "C", 30),
    "paused": ("paused", "C", 0),
    "no-replicas": ("nothing_runs", "C", 0),
    "daemon-without-node": ("nothing_runs", "C", 0),
    "job-fails": ("job_backoff_limit", "R", 0),
    "job-too-long": ("job_deadline", "R", 0),
    "job-suspended": ("suspended", "C", 0),
    "job-image": ("image_name_invalid", "R", 1),
    "stateful-crash": ("crash_loop", "R", 0),
}


@pytest.mark.parametrize("name", ROWS)
def test_cause_comes_exactly_when_its_time_is_over(name: str) -> None:
    code, cause_class, after = ROWS[name]
    one, seen = judge(), recorded(name)
    now = 0.0
    while now < after:
        early = look(one, seen, now)
        assert not early.ready
        assert early.cause is None
        now += 0.5
    cause = look(one, seen, after).cause
    assert cause is not None
    assert (cause.code, cause.cause_class) == (code, cause_class)
    assert cause.message
    assert cause.advice


def test_scheduling_gate_never_ends_the_wait_but_is_told() -> None:
    one, seen = judge(), recorded("gated")
    for now in range(600):
        state = look(one, seen, now)
    assert state.cause is None
    assert [row.code for row in state.pending] == ["scheduling_gated"]
    assert "example.org/budget" in state.pending[0].message
