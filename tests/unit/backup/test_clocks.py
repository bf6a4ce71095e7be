# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in the future tells of a wrong clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ansible_collections.golive.cutover.plugins.module_utils._backup.clocks import clock_faults

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=timezone.utc)


def test_only_what_lies_in_the_future_is_a_fault() -> None:
    seen = {"a": NOW - timedelta(days=1), "b": None, "c": NOW + timedelta(seconds=5)}
    assert clock_faults(seen, NOW) == []
    (fault,) = clock_faults({**seen, "the last commit": NOW + timedelta(hours=1)}, NOW)
    assert fault.startswith("the last commit of 2026-11-30T10:00:00")
    assert "is 3600 s in the future" in fault
