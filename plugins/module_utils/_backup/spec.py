# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where backups are kept: the option ``repositories`` of the doc fragment ``repositories``."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec


def repositories_spec() -> dict[str, Any]:
    """A fresh argument spec of the option."""
    return {
        "repositories": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "endpoint": {"type": "str", "required": True},
                "port": {"type": "int", "default": 443},
                "bucket": {"type": "str", "required": True},
                "region": {"type": "str", "default": "us-east-1"},
                "path": {"type": "str", "required": True},
                "uri_style": {"type": "str", "choices": ["path", "host"], "default": "path"},
                "secret": {
                    "type": "dict",
                    "required": True,
                    "no_log": False,
                    "options": {
                        "name": {"type": "str", "required": True},
                        "key": {"type": "str", "default": "access_key", "no_log": False},
                        "secret_key": {"type": "str", "default": "secret_key", "no_log": False},
                    },
                },
                "ca_secret": {
                    "type": "dict",
                    "no_log": False,
                    "options": {
                        "name": {"type": "str", "required": True},
                        "key": {"type": "str", "default": "ca.crt", "no_log": False},
                    },
                },
                **tunnel_spec(),
            },
        },
    }
