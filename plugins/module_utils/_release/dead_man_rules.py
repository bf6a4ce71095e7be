# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dead man may conclude from a Lease, and do to a traffic object. Pure, standard library of Python 3.9 alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

TOKEN = "golive.cutover/token"  # noqa: S105 - the key of an annotation
# Where traffic is: on the old colour; where the run may have put it; anywhere else.
HERE, THERE, ELSEWHERE = "here", "there", "elsewhere"
# Whose a Lease is.
OF_THE_RUN, OURS, OF_NOBODY, OF_ANOTHER = "run", "ours", "nobody", "another"
# A longer gap between two looks was no watching: the pod or its node stood still.
_LONGEST_GAP_S = 5.0

Object = Mapping[str, Any]
Row = Mapping[str, Any]
Patch = list[dict[str, Any]]


class Quiet:
    """For how long a Lease has shown no sign of life, on this process's own monotonic clock.

    Only time in which the Lease was really looked at counts, so that an API server that is away for a while does not
    make a living run look dead.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._mark: Any = None
        self._looked: float | None = None

    def seen(self, lease: Object, now: float) -> None:
        """A look that was answered."""
        spec = lease.get("spec") or {}
        mark = tuple(spec.get(key) for key in ("holderIdentity", "leaseTransitions", "renewTime"))
        if mark != self._mark:
            self._mark, self.seconds = mark, 0.0
        elif self._looked is not None:
            self.seconds += min(now - self._looked, _LONGEST_GAP_S)
        self._looked = now

    def blind(self) -> None:
        """A look that was not answered."""
        self._looked = None


def whose(lease: Object, holder: str, token: str, own: str) -> str:
    """Whose the Lease is, for the dead man ``own`` of the run ``holder`` with its ``token``."""
    spec = lease.get("spec") or {}
    found = spec.get("holderIdentity")
    if found == own:
        return OURS
    if not found:
        return OF_NOBODY
    return OF_THE_RUN if found == holder and str(spec.get("leaseTransitions")) == token else OF_ANOTHER


def token_of(obj: Object) -> int:
    """The fencing token an object carries; 0 when it has none."""
    text = str((obj["metadata"].get("annotations") or {}).get(TOKEN) or "")
    return int(text) if text.isdigit() else 0


def place_of(row: Row, obj: Object) -> str:
    """Where the object sends traffic. Where the run may have put it counts only with a token that the run knows."""
    if _holds(row["here"], obj):
        return HERE
    moved = any(_holds(state, obj) for state in row["there"])
    return THERE if moved and token_of(obj) in map(int, row["tokens"]) else ELSEWHERE


def is_ours(obj: Object, token: int) -> bool:
    """Whether nobody has written after the dead man took over with ``token``."""
    return token_of(obj) == token


def patch_back(row: Row, obj: Object, token: int, now: str) -> Patch:
    """The guarded JSON patch that gives the old colour all traffic, and ``token`` to the object.

    It applies only to the object as it was read. An object that is there already gets the token alone, so that a
    write of the run that is still under way fails.
    """
    meta = obj["metadata"]
    notes: Mapping[str, str] | None = meta.get("annotations")
    patch: Patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]}]
    wanted: dict[str, Any] = {TOKEN: str(token)}
    if place_of(row, obj) == THERE:
        state = next(state for state in row["there"] if _holds(state, obj))
        patch += [{"op": "test", "path": path, "value": value} for path, value in state.items()]
        patch += row["patch"]
        wanted = {**row["notes"], row["dated"]: now, **wanted}
    if notes is None:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for key, value in sorted(wanted.items()):
        path = "/metadata/annotations/" + key.replace("~", "~0").replace("/", "~1")
        if value is not None:
            patch.append({"op": "add", "path": path, "value": value})
        elif key in (notes or {}):
            patch.append({"op": "remove", "path": path})
    return patch


def ready_of(slices: Iterable[Object]) -> frozenset[str]:
    """Pods that take traffic, over all EndpointSlices of a Service; an endpoint without a pod by its address."""
    return frozenset(
        str((endpoint.get("targetRef") or {}).get("uid") or (endpoint.get("addresses") or ["?"])[0])
        for row in slices
        for endpoint in row.get("endpoints") or []
        if (endpoint.get("conditions") or {}).get("ready") is not False
    )


def _holds(state: Mapping[str, Any], obj: Object) -> bool:
    return all(_value(obj, path) == value for path, value in state.items())


def _value(obj: Any, path: str) -> Any:
    """What a JSON pointer (RFC 6901) leads to; None when it leads nowhere."""
    for part in path[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(obj, list):
            obj = obj[int(key)] if key.isdigit() and int(key) < len(obj) else None
        else:
            obj = obj.get(key) if isinstance(obj, Mapping) else None
    return obj
