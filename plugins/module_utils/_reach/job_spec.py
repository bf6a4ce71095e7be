# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``in_cluster`` of verbs that run as a Job; each module documents its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_cluster_spec(own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The argument spec of ``in_cluster``, with the verb's own suboptions."""
    return {
        "type": "dict",
        "options": {
            "namespace": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "timeout": {"type": "float", "default": 3600},
            "labels": {"type": "dict", "default": {}},
            "pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "resources": {"type": "dict", "default": {}},
            **(own or {}),
        },
    }
