# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record of another system (a CI result, a backup) says about a release; pure rules over a given moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.golive.cutover.plugins.plugin_utils._freeze import moment

# Clocks of two machines may differ by this much.
_SKEW = timedelta(minutes=5)


def record_faults(record: Any, rules: Mapping[str, Any], version: str, now: datetime) -> tuple[list[str], str]:
    """What speaks against the release, all at once, and the record in one line.

    ``rules``: ``version_key``, ``status_key`` and ``finished_key`` name the record's members and are not looked at when
    empty; ``passed`` lists the good statuses; ``max_age_hours`` is the greatest age of ``finished_key``.
    """
    if not isinstance(record, Mapping):
        return ["it is no JSON object"], ""
    found = {key: record.get(rules[key]) for key in ("version_key", "status_key", "finished_key") if rules.get(key)}
    faults = [f"it lacks {rules[key]!r}" for key, value in found.items() if value in (None, "")]
    told = [str(found[key]) for key in ("version_key", "status_key") if found.get(key)]
    if found.get("version_key") and str(found["version_key"]) != version:
        faults.append(f"it is of {found['version_key']}, not of {version or 'any version (app_version is not set)'}")
    if found.get("status_key") and str(found["status_key"]) not in rules["passed"]:
        faults.append(f"it is {found['status_key']}, not {' or '.join(rules['passed'])}")
    if found.get("finished_key"):
        try:
            age = now - moment(str(found["finished_key"]))
        except ValueError as error:
            return [*faults, f"{rules['finished_key']} {error}"], ", ".join(told)
        hours = age.total_seconds() / 3600
        told.append(f"{max(hours, 0):.1f} h old")
        if age < -_SKEW:
            faults.append(f"{rules['finished_key']} lies in the future: {found['finished_key']}")
        if hours > rules["max_age_hours"]:
            faults.append(f"it is {hours:.1f} h old, where {rules['max_age_hours']:g} h are allowed")
    return faults, ", ".join(told)
