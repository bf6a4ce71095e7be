# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets as they are read, and written when nobody has changed them in between."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import TOKEN, refuse_newer


class Secrets:
    """The Secrets of one namespace, for a run with the fencing token ``token`` or none, written as ``manager``."""

    def __init__(self, client: Client, namespace: str, token: str | None, manager: str) -> None:
        self._client = client
        self._namespace = namespace
        self._token = token
        self._manager = manager

    def read(self, name: str) -> dict[str, Any] | None:
        """The Secret; None when it is not there. Raises GoliveError ``lease_lost`` when a later run has written it."""
        found = self._client.get_or_none(self._path(name))
        if found is None:
            return None
        found = {**found, "kind": "Secret"}
        if self._token is not None:
            refuse_newer(found, self._token)
        return found

    def write(self, secret: Mapping[str, Any], found: Mapping[str, Any] | None) -> None:
        """Create it, or replace what was found if nobody has changed it since.

        Raises GoliveError ``already_exists`` or ``conflict`` when somebody was faster.
        """
        meta = dict(secret["metadata"])
        if self._token is not None:
            meta["annotations"] = {**(meta.get("annotations") or {}), TOKEN: self._token}
        path = self._path("" if found is None else str(meta["name"]))
        # A lost answer must be looked at: sent twice, our own first write would look like somebody else's.
        self._client.request(
            "POST" if found is None else "PUT",
            path,
            query={"fieldManager": self._manager},
            body={**secret, "metadata": meta},
            retry=False,
        )

    def _path(self, name: str) -> str:
        path = f"/api/v1/namespaces/{quote(self._namespace, safe='')}/secrets"
        return f"{path}/{quote(name, safe='')}" if name else path


def data_of(secret: Mapping[str, Any] | None) -> dict[str, bytes]:
    """The values of a Secret; none of one that is not there."""
    return {key: base64.b64decode(value) for key, value in ((secret or {}).get("data") or {}).items()}
