# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One value out of a Kubernetes Secret."""

from __future__ import annotations

import base64
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client


def secret_value(client: Client, namespace: str, name: str, key: str) -> str:
    """The text under ``key``. Raises GoliveError ``not_found``, ``forbidden`` or ``key_missing``.

    Whoever reads it must keep it out of results and errors: it is not an option with ``no_log``.
    """
    secret = client.get(f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets/{quote(name, safe='')}")
    data = secret.get("data") or {}
    what = f"the key {key} of the Secret {name} in namespace {namespace}"
    if key not in data:
        raise GoliveError("key_missing", f"Reading {what} failed: it has {', '.join(sorted(data)) or 'no keys'}.")
    try:
        return base64.b64decode(data[key]).decode("utf-8")
    except UnicodeDecodeError as error:
        raise GoliveError("invalid", f"Reading {what} failed: it is not UTF-8 text.") from error
