# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of certificates and authorities: read, told apart from those of others, and written as they were read."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import TOKEN, refuse_newer

# Labels of what the verb has made.
ROLE = "golive.cutover/role"
MANAGED = {"app.kubernetes.io/managed-by": "golive"}
CERTIFICATE_ROLE = "certificate"
AUTHORITY_ROLE = "authority"
# The type that a Secret of each role is made with.
TYPES = {CERTIFICATE_ROLE: "kubernetes.io/tls", AUTHORITY_ROLE: "Opaque"}
_MANAGER = "golive-certificates"


class Secrets:
    """The Secrets of one namespace, for a run with the fencing token ``token`` or none."""

    def __init__(self, client: Client, namespace: str, token: str | None) -> None:
        self._client = client
        self._namespace = namespace
        self._token = token

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
            query={"fieldManager": _MANAGER},
            body={**secret, "metadata": meta},
            retry=False,
        )

    def _path(self, name: str) -> str:
        path = f"/api/v1/namespaces/{quote(self._namespace, safe='')}/secrets"
        return f"{path}/{quote(name, safe='')}" if name else path


def data_of(secret: Mapping[str, Any] | None) -> dict[str, bytes]:
    """The values of a Secret; none of one that is not there."""
    return {key: base64.b64decode(value) for key, value in ((secret or {}).get("data") or {}).items()}


def secret_with(
    found: Mapping[str, Any] | None,
    namespace: str,
    name: str,
    role: str,
    labels: Mapping[str, str],
    data: Mapping[str, bytes],
) -> dict[str, Any]:
    """The Secret to write: what was found, with ours put over it; nothing of others is taken away."""
    meta = dict((found or {}).get("metadata") or {"name": name, "namespace": namespace})
    meta.pop("managedFields", None)
    meta["labels"] = {**(meta.get("labels") or {}), **wanted_labels(role, labels)}
    encoded = {key: base64.b64encode(value).decode("ascii") for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": (found or {}).get("type") or TYPES[role],
        "metadata": meta,
        "data": {**((found or {}).get("data") or {}), **encoded},
    }


def wanted_labels(role: str, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of a Secret of ours."""
    return {**labels, **MANAGED, ROLE: role}


def has_labels(secret: Mapping[str, Any], role: str, labels: Mapping[str, str]) -> bool:
    """Whether it carries all that are wanted."""
    return wanted_labels(role, labels).items() <= (secret["metadata"].get("labels") or {}).items()


def refuse_foreign(secret: Mapping[str, Any] | None, role: str, adopt: bool, about: str) -> None:
    """Raise GoliveError ``foreign_secret`` for a Secret that the verb has not made, unless it may adopt it.

    ``about`` says what is in it. One of another type cannot become one of ours: ``secret_type``.
    """
    if secret is None:
        return
    meta = secret["metadata"]
    what = f"the Secret {meta['name']} in namespace {meta.get('namespace', '')}"
    if role == CERTIFICATE_ROLE and secret.get("type") != TYPES[role]:
        raise GoliveError(
            "secret_type",
            f"Using {what} failed: its type is {secret.get('type')}, not {TYPES[role]}, and a type cannot be changed.",
            "Choose another name, or delete that Secret if nobody needs it.",
        )
    if adopt or (meta.get("labels") or {}).get(ROLE) == role:
        return
    writers = ", ".join(sorted({str(row.get("manager")) for row in meta.get("managedFields") or []}))
    raise GoliveError(
        "foreign_secret",
        f"Using {what} failed: this verb has not made it (written by {writers or 'somebody else'}); {about}.",
        "Choose another name, or set adopt: true to take it over.",
    )


def refuse_immutable(secret: Mapping[str, Any] | None) -> None:
    """Raise GoliveError ``immutable`` for a Secret that the server will not let anybody change."""
    if secret is not None and secret.get("immutable"):
        meta = secret["metadata"]
        raise GoliveError(
            "immutable",
            f"Changing the Secret {meta['name']} in namespace {meta.get('namespace', '')} failed: it is immutable.",
            "Delete it and run again; it is made anew then.",
        )
