# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was sent already, in the ConfigMap ``<app>-golive-sent``: so that a key is told to each target once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import TOKEN, refuse_newer

_MANAGER = "golive-notify"
_KEY = "sent.json"
# About 60 KiB with long names; the oldest go.
_MOST = 200
_TRIES = 10
_RACED = ("conflict", "already_exists")


class Sent:
    """The keys of one app; a run with a fencing token stamps what it writes."""

    def __init__(self, client: Client, namespace: str, app: str, token: str | None) -> None:
        self._client = client
        self._namespace = namespace
        self._app = app
        self._token = token
        self.name = f"{app}-golive-sent"

    def to(self, key: str) -> set[str]:
        """Names of the targets that this key was delivered to."""
        return {str(name) for row in _rows(self._found()) if row.get("key") == key for name in row.get("targets", [])}

    def add(self, key: str, targets: Iterable[str], at: str) -> None:
        """Note a delivery; what others note meanwhile stays. Raises GoliveError."""
        names = sorted(targets)
        for _try in range(_TRIES):
            found = self._found()
            if found is not None and self._token is not None:
                refuse_newer({**found, "kind": "ConfigMap"}, self._token)
            others = [row for row in _rows(found) if row.get("key") != key]
            known = {str(name) for row in _rows(found) if row.get("key") == key for name in row.get("targets", [])}
            rows = [*others, {"key": key, "at": at, "targets": sorted({*known, *names})}][-_MOST:]
            try:
                self._write(found, rows)
            except GoliveError as error:
                if error.code not in _RACED:
                    raise
            else:
                return
        raise GoliveError("conflict", f"Writing the ConfigMap {self.name} failed: others wrote to it {_TRIES} times.")

    def _found(self) -> dict[str, Any] | None:
        return self._client.get_or_none(self._path(self.name))

    def _write(self, found: Mapping[str, Any] | None, rows: list[dict[str, Any]]) -> None:
        labels = {"app.kubernetes.io/name": self._app, "app.kubernetes.io/managed-by": "golive"}
        meta = dict((found or {}).get("metadata") or {"name": self.name, "labels": labels})
        meta.pop("managedFields", None)
        if self._token is not None:
            meta["annotations"] = {**(meta.get("annotations") or {}), TOKEN: self._token}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {_KEY: json.dumps(rows)}}
        self._client.request(
            "POST" if found is None else "PUT",
            self._path("" if found is None else self.name),
            query={"fieldManager": _MANAGER},
            body=body,
            # A lost answer must be looked at: sent twice, our own first write would look like somebody else's.
            retry=False,
        )

    def _path(self, name: str) -> str:
        return self._client.path_of("v1", "ConfigMap", self._namespace, name or None)


def _rows(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    try:
        rows = json.loads(((found or {}).get("data") or {}).get(_KEY) or "[]")
    except ValueError:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
