# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a verb logs in to a Prometheus: nothing, a token or a password, both out of a Secret."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value


@dataclass(frozen=True)
class Login:
    """``headers`` hold what must stay secret."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    validate_certs: bool = True
    ca_cert: str | None = None


def prometheus_spec() -> dict[str, Any]:
    """A fresh argument spec of the option ``prometheus``: its address, and how to log in."""
    secret = {
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "key": {"type": "str", "required": True, "no_log": False},
    }
    options = {
        "url": {"type": "str"},
        "path": {"type": "str"},
        "token_secret": {"type": "dict", "no_log": False, "options": secret},
        "username": {"type": "str"},
        "password_secret": {"type": "dict", "no_log": False, "options": secret},
        "validate_certs": {"type": "bool", "default": True},
        "ca_cert": {"type": "path"},
    }
    return {"prometheus": {"type": "dict", "options": options}}


def read_login(options: Mapping[str, Any], client: Callable[[], Client]) -> Login:
    """The login that the option describes. Raises GoliveError ``invalid``, or of ``secret_value``."""

    def read(place: Mapping[str, str]) -> str:
        return secret_value(client(), place["namespace"], place["name"], place["key"])

    headers = {}
    if options.get("token_secret"):
        headers["Authorization"] = f"Bearer {read(options['token_secret']).strip()}"
    elif options.get("username") or options.get("password_secret"):
        if not (options.get("username") and options.get("password_secret")):
            raise GoliveError("invalid", "Cannot log in to Prometheus: username and password_secret belong together.")
        pair = f"{options['username']}:{read(options['password_secret'])}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Login(headers, options.get("validate_certs", True), options.get("ca_cert"))
