# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of one check. Those of a kind have no defaults here: their absence tells that they were not asked for."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.bands import BANDS, LEVELS
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_options import load_options
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import ALPHA, BETA, PRESETS
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_options

KINDS = [
    "http",
    "tcp",
    "sql",
    "kube",
    "prometheus",
    "load",
    "job",
    "exec",
    "tls",
    "headers",
    "pod_security",
    "rights",
    "capacity",
    "approval",
]


def check_options() -> dict[str, Any]:
    """A fresh argument spec of one check."""
    return {
        "name": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": KINDS, "required": True},
        "timeout": {"type": "float"},
        "max_latency": {"type": "float"},
        "critical": {"type": "bool"},
        "weight": {"type": "float"},
        **tunnel_spec(),
        **_http(),
        **_sql(),
        **_kube(),
        **_prometheus(),
        **load_options(),
        **_cluster(),
    }


def app_spec() -> dict[str, Any]:
    """A fresh argument spec of the option ``app``."""
    return {
        "app": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str"},
                "service": {"type": "str"},
                "old_service": {"type": "str"},
                "port": {"type": "str"},
                "url": {"type": "str"},
                "workload": {"type": "str"},
                "ready_path": {"type": "str", "default": "/"},
                "paths": {"type": "list", "elements": "str"},
                "prometheus": {
                    "type": "dict",
                    "options": {
                        **tunnel_spec(),
                        "url": {"type": "str"},
                        "matchers": {"type": "str", "required": True},
                        "old_matchers": {"type": "str"},
                    },
                    "mutually_exclusive": [("tunnel", "url")],
                    "required_one_of": [("tunnel", "url")],
                },
                "service_account": {"type": "str", "default": "default"},
                **_approval(),
                "release": {"type": "str"},
            },
        }
    }


def _http() -> dict[str, Any]:
    return {
        "url": {"type": "str"},
        "path": {"type": "str"},
        "method": {"type": "str", "choices": ["GET", "HEAD"]},
        "headers": {"type": "dict"},
        "status": {"type": "list", "elements": "int"},
        "contains": {"type": "str"},
        "expect_headers": {"type": "dict"},
        "redirects": {"type": "int"},
        "validate_certs": {"type": "bool"},
        "ca_cert": {"type": "path"},
        "host": {"type": "str"},
        "port": {"type": "int"},
        "min_lifetime": {"type": "float"},
        "min_version": {"type": "str", "choices": ["TLSv1.2", "TLSv1.3"]},
    }


def _sql() -> dict[str, Any]:
    return {
        "postgresql": {
            "type": "dict",
            "options": pg_options(),
            "mutually_exclusive": [("password", "password_secret")],
        },
        "ready": {"type": "bool"},
        "query": {"type": "str"},
        "min_rows": {"type": "int"},
        "max_rows": {"type": "int"},
        "expect": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "equals": {"type": "raw"},
                "min": {"type": "float"},
                "max": {"type": "float"},
            },
        },
    }


def _kube() -> dict[str, Any]:
    return {
        "object": {
            "type": "dict",
            "options": {
                "api_version": {"type": "str", "default": "apps/v1"},
                "kind": {"type": "str", "default": "Deployment"},
                "namespace": {"type": "str"},
                "name": {"type": "str", "required": True},
            },
        },
        "conditions": {"type": "dict"},
        "rolled_out": {"type": "bool"},
        "max_restarts": {"type": "int"},
    }


def _prometheus() -> dict[str, Any]:
    secret = {
        "type": "dict",
        "no_log": False,
        "options": {
            "namespace": {"type": "str"},
            "name": {"type": "str", "required": True},
            "key": {"type": "str", "required": True, "no_log": False},
        },
    }
    return {
        "login": {
            "type": "dict",
            "options": {"username": {"type": "str"}, "password_secret": secret, "token_secret": secret},
            "mutually_exclusive": [("username", "token_secret")],
            "required_together": [("username", "password_secret")],
        },
        "min": {"type": "float"},
        "max": {"type": "float"},
        "kpi": {"type": "str", "choices": list(BANDS)},
        "band": {"type": "dict", "options": {level: {"type": "float"} for level in LEVELS}},
        "fails_at": {"type": "str", "choices": list(LEVELS)},
        "counters": {
            "type": "dict",
            "options": {
                "bad": {"type": "str", "required": True},
                "total": {"type": "str", "required": True},
                "preset": {"type": "str", "choices": list(PRESETS), "default": "errors"},
                "p0": {"type": "float"},
                "p1": {"type": "float"},
                "alpha": {"type": "float", "default": ALPHA},
                "beta": {"type": "float", "default": BETA},
                "effect": {"type": "float"},
                "old": {
                    "type": "dict",
                    "options": {
                        "bad": {"type": "str", "required": True},
                        "total": {"type": "str", "required": True},
                        "seconds": {"type": "float", "default": 3600},
                    },
                },
            },
        },
        "low_sample": {
            "type": "dict",
            "options": {
                **tunnel_spec(),
                "url": {"type": "str"},
                "path": {"type": "str"},
                "rate": {"type": "float", "default": 20},
                "headers": {"type": "dict"},
                "validate_certs": {"type": "bool", "default": True},
                "ca_cert": {"type": "path"},
            },
        },
        "gauges": {
            "type": "dict",
            "options": {
                "old": {"type": "str", "required": True},
                "new": {"type": "str", "required": True},
                "worse": {"type": "str", "choices": ["higher", "lower"], "default": "higher"},
                "samples": {"type": "int", "default": 20},
                "least_cles": {"type": "float", "default": 0.7},
                "least_change": {"type": "float", "default": 0.25},
                "alpha": {"type": "float", "default": ALPHA},
            },
        },
        "scrape_interval": {"type": "float"},
        "stale_after": {"type": "float"},
    }


def _cluster() -> dict[str, Any]:
    return {
        "namespace": {"type": "str"},
        "definition": {"type": "dict"},
        "labels": {"type": "dict"},
        "pod": {"type": "str"},
        "container": {"type": "str"},
        "command": {"type": "list", "elements": "str"},
        "exit_code": {"type": "int"},
        "level": {"type": "str", "choices": ["baseline", "restricted"]},
        "service_account": {"type": "str"},
        "denied": {
            "type": "list",
            "elements": "dict",
            "options": {
                "verb": {"type": "str", "required": True},
                "resource": {"type": "str", "required": True},
                "group": {"type": "str", "default": ""},
                "namespace": {"type": "str"},
            },
        },
        **_approval(),
        "release": {"type": "str"},
    }


def _approval() -> dict[str, Any]:
    return {
        "approval": {
            "type": "dict",
            "options": {
                "by": {"type": "str", "required": True},
                "reference": {"type": "str"},
                "until": {"type": "str", "required": True},
                "release": {"type": "str"},
            },
        }
    }
