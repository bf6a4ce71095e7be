# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known and planned of each object of a set while it is applied."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_secret_objects, mask_text
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_owned import owned_fields
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import APPLY_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import Path
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import TOKEN
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import Key

CREATED, UPDATED, UNCHANGED, DELETED, PRUNED = "created", "updated", "unchanged", "deleted", "pruned"
# How an action was decided: by reading, by the server's dry run or answer, or without the server's opinion.
READ, SERVER, LOCAL = "read", "server", "local"
_TYPED_PATCH = re.compile(r"failed to create typed patch object \([^)]*\): ")
_SERVER_SIDE = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")


@dataclass(frozen=True)
class Options:
    """How a set is applied; the options of the verb under the same names. ``token`` is that of the run's Lease."""

    manager: str
    force: bool
    threads: int
    token: str | None = None


@dataclass(eq=False)
class Step:
    """One object: what is wanted, what lives, and what will be or, with ``done``, was written."""

    wanted: dict[str, Any]
    key: Key
    source: str
    served: bool = True
    live: dict[str, Any] | None = None
    create_only: tuple[Path, ...] = ()
    hand_over: bool = False
    action: str = ""
    decided_by: str = ""
    after: dict[str, Any] | None = None
    done: bool = False

    def path(self, client: Client) -> str:
        """URL path of the object."""
        return client.path_of(str(self.wanted["apiVersion"]), self.key.kind, self.key.namespace or None, self.key.name)

    @property
    def terminating(self) -> bool:
        """Whether the live object is on its way out."""
        return bool(self.live and self.live["metadata"].get("deletionTimestamp"))

    def row(self) -> dict[str, Any]:
        """The object's entry in the result."""
        return {
            "api_version": self.wanted["apiVersion"],
            "kind": self.key.kind,
            "namespace": self.key.namespace or None,
            "name": self.key.name,
            "action": self.action,
            "decided_by": self.decided_by,
        }


def at_version(body: Mapping[str, Any], read: Mapping[str, Any]) -> dict[str, Any]:
    """``body`` as an apply that the server refuses with 409 when the object is no longer as it was ``read``."""
    return {**body, "metadata": {**body["metadata"], "resourceVersion": read["metadata"]["resourceVersion"]}}


def send(
    client: Client, step: Step, body: Mapping[str, Any], manager: str, *, force: bool, dry_run: bool
) -> dict[str, Any]:
    """One server-side apply; returns the object as it is, or would be. Raises GoliveError in words about the object."""
    query = {
        "fieldManager": manager,
        "force": True if force else None,
        "fieldValidation": "Strict",
        "dryRun": "All" if dry_run else None,
    }
    try:
        return client.request("PATCH", step.path(client), query=query, body=body, content_type=APPLY_PATCH)
    except GoliveError as error:
        refusal = about(step.key, "Applying", error)
        if step.key.kind == "Secret":
            refusal.message = mask_text(refusal.message, _secret_values(step.wanted))
        raise refusal from None


def about(key: Key, verb: str, error: GoliveError) -> GoliveError:
    """The server's refusal as a sentence about an object; conflicts name the manager, the fields and the way out."""
    reason = error.details.get("server_message")
    if reason is None:
        return error
    reason = _TYPED_PATCH.sub("", reason)
    others = _conflicts(error)
    if others:
        return GoliveError(
            "conflict",
            f"{verb} {key} would change fields of another manager: {others}.",
            "Leave the fields out, name them in create_only, or take them over with force_conflicts: true.",
            {"causes": error.details["causes"]},
        )
    return GoliveError(error.code, f"{verb} {key} was refused: {reason}", error.hint)


def _secret_values(obj: Mapping[str, Any]) -> Iterator[str]:
    for value in (obj.get("data") or {}).values():
        yield str(value)
        with suppress(ValueError):
            yield base64.b64decode(value).decode("utf-8", "ignore")


def _conflicts(error: GoliveError) -> str:
    fields: dict[str, list[str]] = {}
    for cause in error.details.get("causes") or []:
        if cause.get("reason") == "FieldManagerConflict":
            manager = str(cause.get("message", "")).removeprefix("conflict with ")
            fields.setdefault(manager, []).append(str(cause.get("field")))
    return "; ".join(f"{manager} owns {', '.join(names)}" for manager, names in fields.items())


def same_effect(before: Mapping[str, Any], after: Mapping[str, Any], manager: str) -> bool:
    """Whether two states of one object differ in nothing that an apply of ``manager`` could have caused."""
    return visible(before) == visible(after) and owned_fields(before, manager) == owned_fields(after, manager)


def visible(obj: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its status, the fencing token and what only the server writes."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in _SERVER_SIDE}
    notes = meta.pop("annotations", None)
    if notes and notes.keys() != {TOKEN}:
        meta["annotations"] = {key: value for key, value in notes.items() if key != TOKEN}
    return {key: value for key, value in obj.items() if key not in ("status", "metadata")} | {"metadata": meta}


def diffs(steps: Iterable[Step], manager: str) -> list[dict[str, str]]:
    """Before and after of every step that changes something, values of Secrets masked."""
    return [
        _diff(step, manager)
        for step in steps
        if step.action != UNCHANGED and (step.live is not None or step.after is not None)
    ]


def _diff(step: Step, manager: str) -> dict[str, str]:
    before = visible(step.live) if step.live else None
    after = visible(step.after) if step.after else None
    if before and after and before == after and step.live and step.after:
        # Nothing but ownership changes: show that.
        before = {"fields of " + manager: owned_fields(step.live, manager)}
        after = {"fields of " + manager: owned_fields(step.after, manager)}
    else:
        before, after = mask_secret_objects(before, after)
    return diff_of(str(step.key), before, after)
