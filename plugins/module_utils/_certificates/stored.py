# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of certificates and authorities: how they are told apart from those of others, and what is written."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# Labels of what the verb has made.
ROLE = "golive.cutover/role"
MANAGED = {"app.kubernetes.io/managed-by": "golive"}
CERTIFICATE_ROLE = "certificate"
AUTHORITY_ROLE = "authority"
# The type that a Secret of each role is made with.
TYPES = {CERTIFICATE_ROLE: "kubernetes.io/tls", AUTHORITY_ROLE: "Opaque"}
MANAGER = "golive-certificates"


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
