# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is refused in a freeze and without its approval; what lifted the freeze is in the run's report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.both_ways.harness import PLAYBOOKS, Ran, run_plays

ALWAYS = {"reason": "always", "timezone": "Europe/Berlin", "from": "2020-01-01 00:00", "to": "2099-01-01 08:00"}
APPROVAL = {"by": "anna", "at": "2026-01-01T10:00:00Z", "expires": "2099-01-01T10:00:00Z", "for": "2.4.2"}


def permission(folder: Path, *arguments: str, **settings: Any) -> Ran:
    """Run the role's tasks about permission with these settings, and the report beside them."""
    role = {"ansible.builtin.include_role": {"name": "golive.cutover.preflight", "tasks_from": "permission"}}
    play = {"hosts": "all", "gather_facts": False, "vars": {"app_version": "2.4.2", **settings}, "tasks": [role]}
    reports = {"ANSIBLE_CALLBACKS_ENABLED": "golive.cutover.timeline", "GOLIVE_REPORT_DIR": str(folder / "reports")}
    return run_plays(PLAYBOOKS[-1], "inside", [play], folder, *arguments, **reports)


def test_a_freeze_refuses_and_an_override_is_kept(tmp_path: Path) -> None:
    refused = permission(tmp_path / "refused", preflight_freeze=[ALWAYS])
    assert refused.code != 0
    assert "frozen until 2099-01-01 08:00 CET: always" in refused.out
    planned = permission(tmp_path / "planned", "--check", preflight_freeze=[ALWAYS])
    assert planned.code == 0, planned.out
    assert "A run would be refused now" in planned.out
    lifted = permission(tmp_path / "lifted", preflight_freeze=[ALWAYS], preflight_freeze_override="outage 4711")
    assert lifted.code == 0, lifted.out
    (place,) = (tmp_path / "lifted" / "reports").glob("*.json")
    (kept,) = [one for one in json.loads(place.read_text())["evidence"] if one["kind"] == "stats"]
    assert kept["golive_freeze_override"] == "outage 4711"
    assert "outage 4711" in place.with_suffix(".html").read_text()


def test_the_profile_enterprise_asks_for_an_approval(tmp_path: Path) -> None:
    refused = permission(tmp_path / "refused", golive_profile="enterprise")
    assert refused.code != 0
    assert "no approval is given" in refused.out
    approved = permission(tmp_path / "approved", golive_profile="enterprise", preflight_approval=APPROVAL)
    assert approved.code == 0, approved.out
    (page,) = (tmp_path / "approved" / "reports").glob("*.html")
    assert "by anna" in page.read_text()
