# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes that the API server refuses to a run which lost its Lease: the fencing token on every object; reference 2.2.

A new holder stamps its greater token on what it takes over. Whoever read an object before that writes with the
resourceVersion it read, so that its write fails; and whoever reads it afterwards sees the greater token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, Client

TOKEN = "golive.cutover/token"  # noqa: S105 - the key of an annotation
# A field manager of its own: no apply ever takes the annotation away, or conflicts with it.
_MANAGER = "golive-lease"
# Controllers write status all the time; each such write costs one more look.
_TRIES = 20
Result = TypeVar("Result")


def own_token(params: Mapping[str, Any]) -> str | None:
    """The fencing token of a verb's option ``lease``; None when it has none."""
    return str(params["lease"]["token"]) if params.get("lease") else None


def token_of(obj: Mapping[str, Any]) -> int:
    """The token an object carries; 0 when it has none."""
    text = str((obj["metadata"].get("annotations") or {}).get(TOKEN) or "")
    return int(text) if text.isdigit() else 0


def refuse_newer(obj: Mapping[str, Any], token: str) -> None:
    """Raise GoliveError ``lease_lost`` when a later run has written to the object."""
    found = token_of(obj)
    if found > int(token):
        meta = obj["metadata"]
        raise GoliveError(
            "lease_lost",
            f"Stopped before writing to {obj.get('kind', 'object')} {meta.get('namespace', '')}/{meta['name']}: a later"
            f" run has written to it (its token is {found}, this run's is {token}).",
            "Look at what is live (playbook status), then run again.",
            {"token": str(found)},
        )


def stamped(client: Client, path: str, obj: dict[str, Any], token: str) -> dict[str, Any]:
    """The object with this run's token on it, and at the resourceVersion that the next write may name.

    Raises GoliveError ``lease_lost``, ``not_found`` or the server's refusal.
    """
    return fenced(client, path, obj, token, lambda found: found)


def fenced(
    client: Client,
    path: str,
    obj: dict[str, Any],
    token: str,
    write: Callable[[dict[str, Any]], Result],
    stamp: bool = True,
) -> Result:
    """Stamp the object, then ``write`` it as it was read; looks again, a bounded number of times, after a 409.

    ``write`` must name the resourceVersion of what it is given, and raise GoliveError ``conflict`` without ``causes``
    when the server has another one.
    """
    for _try in range(_TRIES):
        refuse_newer(obj, token)
        try:
            if stamp and token_of(obj) != int(token):
                obj = _stamp(client, path, obj, token)
            return write(obj)
        except GoliveError as error:
            if error.code != "conflict" or error.details.get("causes"):
                raise
        obj = {**client.get(path), "kind": obj.get("kind", "object")}
    raise GoliveError(
        "conflict",
        f"Writing {path} failed: somebody else changed it each of {_TRIES} times between reading and writing.",
        "Find out who writes to it all the time (kubectl get -o yaml --show-managed-fields).",
    )


def _stamp(client: Client, path: str, obj: Mapping[str, Any], token: str) -> dict[str, Any]:
    meta = {"resourceVersion": obj["metadata"]["resourceVersion"], "annotations": {TOKEN: token}}
    return client.request(
        "PATCH", path, query={"fieldManager": _MANAGER}, body={"metadata": meta}, content_type=MERGE_PATCH
    )
