# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``in_cluster`` of verbs that need a Job: pairs with the doc fragment ``in_cluster``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The code of the error in check mode, which starts no Job.
NOT_ASKED = "not_asked"


def in_cluster_spec() -> dict[str, Any]:
    """A fresh argument spec of the option where the verb adds nothing to it."""
    return {"in_cluster": in_cluster_option({})}


def in_cluster_option(own: Mapping[str, Any]) -> dict[str, Any]:
    """The option with the verb's own suboptions."""
    return {
        "type": "dict",
        "options": {
            "namespace": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "timeout": {"type": "float", "default": 3600},
            "labels": {"type": "dict", "default": {}},
            "pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "resources": {"type": "dict", "default": {}},
            **own,
        },
    }
