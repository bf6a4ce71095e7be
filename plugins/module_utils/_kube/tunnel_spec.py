# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``tunnel`` of verbs that speak to something inside a cluster: pairs with the doc fragment ``tunnel``."""

from __future__ import annotations

from typing import Any


def tunnel_spec() -> dict[str, Any]:
    """A fresh argument spec of the option."""
    return {
        "tunnel": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "service": {"type": "str"},
                "pod": {"type": "str"},
                "port": {"type": "str"},
            },
            "mutually_exclusive": [("service", "pod")],
            "required_one_of": [("service", "pod")],
        },
    }
