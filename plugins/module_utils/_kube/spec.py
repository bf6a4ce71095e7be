# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a verb reaches a cluster: the options of the doc fragment ``kube``."""

from __future__ import annotations

from typing import Any


def kube_spec() -> dict[str, Any]:
    """A fresh argument spec of the shared options."""
    return {
        "kubeconfig": {"type": "path"},
        "context": {"type": "str"},
        "host": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "ca_cert": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "lease": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "token": {"type": "str", "required": True, "no_log": False},
                "holder": {"type": "str", "required": True},
            },
        },
    }
