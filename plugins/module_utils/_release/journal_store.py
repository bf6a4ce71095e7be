# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in its ConfigMap, written only by the run whose token is the greatest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import TOKEN, fenced, refuse_newer, token_of
from ansible_collections.golive.cutover.plugins.module_utils._release.journal import Journal, journal_from

_MANAGER = "golive-journal"


class Store:
    """The ConfigMap ``<app>-golive-journal``."""

    def __init__(self, call: Call, client: Client, namespace: str, app: str) -> None:
        self._call = call
        self._client = client
        self._app = app
        self._namespace = namespace
        self.name = f"{app}-golive-journal"

    def token(self) -> int:
        """The token of the run that wrote last; 0 when none has."""
        found = self._client.get_or_none(self._path(self.name))
        return token_of(found) if found else 0

    def read(self) -> Journal:
        """The journal as it is; warns when its chain is broken."""
        found = self._client.get_or_none(self._path(self.name))
        journal = journal_from((found or {}).get("data"))
        broken = journal.broken_at()
        if broken is not None:
            self._call.warn(
                f"The journal {self.name} in namespace {self._namespace} was changed from outside: entry {broken} does"
                " not follow from the one before. What it says of earlier runs may be wrong."
            )
        return journal

    def append(self, entry: Mapping[str, Any], token: str) -> Journal:
        """Add an entry; raises GoliveError ``lease_lost`` when a later run has written."""
        found = self._client.get_or_none(self._path(self.name))
        if found is None:
            try:
                return self._create(entry, token)
            except GoliveError as error:
                if error.code != "already_exists":
                    raise
            found = self._client.get(self._path(self.name))
        return fenced(
            self._client, self._path(self.name), found, token, lambda read: self._put(read, entry, token), stamp=False
        )

    def _create(self, entry: Mapping[str, Any], token: str) -> Journal:
        journal = Journal().with_entry(entry)
        labels = {"app.kubernetes.io/name": self._app, "app.kubernetes.io/managed-by": "golive"}
        meta = {"name": self.name, "namespace": self._namespace, "labels": labels, "annotations": {TOKEN: token}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": journal.as_data()}
        self._client.request("POST", self._path(), query={"fieldManager": _MANAGER}, body=body)
        return journal

    def _put(self, found: Mapping[str, Any], entry: Mapping[str, Any], token: str) -> Journal:
        refuse_newer(found, token)
        before = journal_from(found.get("data"))
        # The answer to an earlier attempt may have been lost.
        if any(_same(known, entry) for known in before.entries()[-1:]):
            return before
        journal = before.with_entry(entry)
        meta = {**found["metadata"], "annotations": {**(found["metadata"].get("annotations") or {}), TOKEN: token}}
        meta.pop("managedFields", None)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": journal.as_data()}
        self._client.request("PUT", self._path(self.name), query={"fieldManager": _MANAGER}, body=body)
        return journal

    def _path(self, name: str | None = None) -> str:
        return self._client.path_of("v1", "ConfigMap", self._namespace, name)


def _same(known: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    return {key: value for key, value in known.items() if key not in ("prev", "hash")} == dict(entry)
