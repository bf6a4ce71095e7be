# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From nothing to live; what is there stays as it is; check mode touches nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage, audit_mark, changes, mutating_calls
from tests.e2e.release_journal.runs import playing


def test_check_mode_on_nothing_plans_and_touches_nothing(
    cluster: dict[str, str], make_stage: Callable[..., Stage]
) -> None:
    stage = make_stage(exposed=False)
    mark = audit_mark(cluster)
    play = stage.play("site.yml", "--check", "--diff")
    assert play.code == 0, play.output
    assert mutating_calls(mark, stage.namespace) == []
    assert play.changed > 0
    for planned in ("StatefulSet", "Deployment", "NetworkPolicy", "CREATE TABLE", "goes live for the first time"):
        assert planned in play.output, planned
    assert stage.namespace not in kubectl("get", "namespaces", "-o", "name")


def test_the_app_is_live(live: Stage) -> None:
    status, headers, _body = live.get("/readyz")
    assert (status, headers["X-App-Version"], headers["X-App-Colour"]) == (200, "1.0.0", "blue")


def test_a_second_run_changes_nothing(cluster: dict[str, str], live: Stage) -> None:
    mark = audit_mark(cluster)
    play = live.play("site.yml")
    assert (play.code, play.changed) == (0, 0), play.output
    assert changes(mark, live.namespace) == []


def test_check_mode_on_the_live_app_touches_nothing(cluster: dict[str, str], live: Stage) -> None:
    mark = audit_mark(cluster)
    play = live.play("site.yml", "--check", "--diff")
    assert (play.code, play.changed) == (0, 0), play.output
    plan = live.play("release.yml", "--check", "--diff", app_version="2.0.0", migrate_target="0002")
    assert plan.code == 0, plan.output
    assert plan.changed > 0
    for planned in ("ALTER TABLE", "2.0.0", "would move from blue to green"):
        assert planned in plan.output, planned
    assert mutating_calls(mark, live.namespace) == []


def test_phases_can_be_named_by_tag(live: Stage) -> None:
    play = live.play("site.yml", "--tags", "preflight,postgres")
    assert (play.code, play.changed) == (0, 0), play.output
    assert "Release |" not in play.output


def test_status_shows_all_on_one_screen(live: Stage) -> None:
    play = live.play("status.yml")
    assert play.code == 0, play.output
    assert "takes traffic" in play.output
    assert "1.0.0" in play.output


def test_teardown_asks_for_a_name(live: Stage) -> None:
    play = live.play("teardown.yml")
    assert play.code != 0
    assert "teardown_confirm=notes" in play.output
    assert live.get("/readyz")[0] == 200


def test_the_lock_is_told_and_can_be_taken_over(live: Stage, tmp_path: Path) -> None:
    with playing(tmp_path, live.namespace, "other", app="notes", user="ann", objects=[]) as other:
        other.wait_for("TASK [Hold]")
        refused = live.play("release.yml")
        assert refused.code != 0
        for told in ("locked", "ann on ", "take_over"):
            assert told in refused.output, told
        assert "under way, phase begin" in live.play("status.yml").output
        taken = live.play("release.yml", release_take_over=True)
        assert (taken.code, taken.changed) == (0, 0), taken.output
        assert "lease_lost" in other.finish()
    shown = live.play("status.yml").output
    assert re.search(r"run \S+ release 1\.0\.0 by \S+ on \S+: unchanged", shown), shown
