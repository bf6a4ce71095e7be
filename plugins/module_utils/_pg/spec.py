# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a verb reaches a PostgreSQL database: the option of the doc fragment ``postgresql``."""

from __future__ import annotations

from typing import Any

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def pg_options() -> dict[str, Any]:
    """A fresh argument spec of the single settings; for what is not given see ``settings``."""
    return {
        "host": {"type": "str"},
        "port": {"type": "int"},
        "database": {"type": "str"},
        "user": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "password_secret": {
            "type": "dict",
            "no_log": False,
            "options": {
                "namespace": {"type": "str"},
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": "password", "no_log": False},
                "user_key": {"type": "str", "no_log": False},
            },
        },
        "sslmode": {"type": "str", "choices": list(SSL_MODES)},
        "sslrootcert": {"type": "path"},
        "ca_secret": {
            "type": "dict",
            "no_log": False,
            "options": {
                "namespace": {"type": "str"},
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": "ca.crt", "no_log": False},
            },
        },
        "connect_timeout": {"type": "int", "default": 10},
    }


def pg_spec() -> dict[str, Any]:
    """A fresh argument spec of the option ``postgresql``; without it the environment alone says where to connect."""
    return {
        "postgresql": {
            "type": "dict",
            "apply_defaults": True,
            "options": pg_options(),
            "mutually_exclusive": [("password", "password_secret")],
        },
    }
