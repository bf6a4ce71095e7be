# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``approval``: somebody approved this release, for a time that is not over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.look import FAILED, PASSED, Look
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach


def ask(check: Mapping[str, Any], _reach: Reach) -> Look:
    """Look once; the approval is an option, so nothing is asked."""
    given = check["approval"]
    if not given:
        return Look(False, "no approval is recorded", verdict=FAILED)
    values = {key: value for key, value in given.items() if value}
    if given.get("release") and check["release"] and given["release"] != check["release"]:
        return Look(
            False, f"the approval is for release {given['release']}, not {check['release']}", 0.0, values, "", FAILED
        )
    if moment(given["until"]) <= datetime.now(timezone.utc):
        return Look(False, f"the approval by {given['by']} ended at {given['until']}", 0.0, values, "", FAILED)
    return Look(True, f"approved by {given['by']} until {given['until']}", 0.0, values, "", PASSED)


def moment(text: str) -> datetime:
    """A time with its offset. Raises ValueError when the text is none, or leaves the offset out."""
    found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError(f"{text} has no offset to UTC")
    return found
