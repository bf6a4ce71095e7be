# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daily playbooks under the oldest ansible-core of the supported range, which makes texts of numbers."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.flow.stage import Stage

OLDEST = "oldest"
QUICK = {
    "app_track_soak": 1,
    "release_soak": 1,
    "release_verify_passes": 1,
    "release_observe_passes": 2,
    "release_observe_interval": 1,
    "app_pre_stop_seconds": 1,
}


def test_site_release_status_and_rollback(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(**QUICK)
    first = stage.play("site.yml", core=OLDEST)
    assert first.code == 0, first.output
    again = stage.play("site.yml", core=OLDEST)
    assert (again.code, again.changed) == (0, 0), again.output
    released = stage.play("release.yml", core=OLDEST, app_version="2.0.0", migrate_target="0002")
    assert released.code == 0, released.output
    assert stage.get("/readyz")[1]["X-App-Version"] == "2.0.0"
    seen = stage.play("status.yml", core=OLDEST)
    assert seen.code == 0, seen.output
    assert "2.0.0" in seen.output
    returned = stage.play("rollback.yml", core=OLDEST)
    assert returned.code == 0, returned.output
    assert stage.get("/readyz")[1]["X-App-Version"] == "1.0.0"
