# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``retention`` of verbs that remove old backups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Policy


def retention_spec() -> dict[str, Any]:
    """A fresh argument spec of the option."""
    return {
        "retention": {
            "type": "dict",
            "options": {
                "pitr": {"type": "float", "default": 30},
                "weekly": {"type": "float", "default": 90},
                "monthly": {"type": "float", "default": 365},
                "most_share": {"type": "float", "default": 0.3},
                "alarm_hours": {"type": "float", "default": 26},
            },
        }
    }


def policy_from(params: Mapping[str, Any]) -> Policy:
    """The policy that validated options ask for."""
    rules = params["retention"]
    if not rules:
        return Policy()
    return Policy(
        pitr_days=rules["pitr"],
        weekly_days=rules["weekly"],
        monthly_days=rules["monthly"],
        most_share=rules["most_share"],
        alarm=timedelta(hours=rules["alarm_hours"]),
    )
