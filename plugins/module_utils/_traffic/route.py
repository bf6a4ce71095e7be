# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the live Service sends traffic, and the patches that may change it. Pure; reference section 2.1 and 2.2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

COLOURS = ("blue", "green")
NAME_KEY = "app.kubernetes.io/name"
COLOUR_KEY = "golive.cutover/colour"

PREVIOUS = "golive.cutover/previous"
SWITCHED_AT = "golive.cutover/switched-at"
LEAVING = "golive.cutover/leaving"
# Which release of the previous colour was live; see ``Colour.identity``.
PREVIOUS_RELEASE = "golive.cutover/previous-revision"
# Pods that carried all traffic when a move began.
SIZE = "golive.cutover/size"
FENCING = "golive.cutover/token"

LIVE = "LIVE"
OVERLAP = "OVERLAP"
ABSENT = "ABSENT"
FOREIGN = "FOREIGN"

DONE = "done"
UNCHANGED = "unchanged"
LOST = "lost"

Patch = list[dict[str, Any]]


def now_text() -> str:
    """The time as it is written on the Service, RFC 3339."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def other(colour: str) -> str:
    """The colour that is not ``colour``."""
    return COLOURS[1 - COLOURS.index(colour)]


@dataclass(frozen=True)
class Route:
    """The live Service as read at one resourceVersion.

    ``state`` is LIVE, OVERLAP, ABSENT or FOREIGN; ``live`` the colour of LIVE. ``shared`` are the selector's keys
    beside the colour. ``reason`` says what is wrong when FOREIGN.
    """

    state: str
    live: str | None
    selector: Mapping[str, str]
    shared: Mapping[str, str]
    annotations: Mapping[str, str] | None
    version: str
    reason: str = ""

    def note(self, key: str) -> str | None:
        """The value of one annotation."""
        return (self.annotations or {}).get(key)

    @property
    def token(self) -> int:
        """The fencing token of the run that wrote last; 0 without one."""
        text = self.note(FENCING) or ""
        return int(text) if text.isdigit() else 0

    @property
    def size(self) -> int:
        """Pods that carried all traffic when the last move began; 0 when that is not recorded."""
        text = self.note(SIZE) or ""
        return int(text) if text.isdigit() else 0

    @property
    def leaving(self) -> str | None:
        """The old colour of a switch that is not proven yet."""
        colour = self.note(LEAVING)
        return colour if colour in COLOURS else None


def read_route(service: Mapping[str, Any] | None, shared: Mapping[str, str], colour_key: str) -> Route:
    """The route of the live Service; ``shared`` is what its selector must hold beside the colour.

    State comes from the Service alone, never from a record of what some run meant to do.
    """
    if service is None:
        return Route(ABSENT, None, {}, shared, None, "", "the Service does not exist")
    selector = dict((service.get("spec") or {}).get("selector") or {})
    rest = {key: value for key, value in selector.items() if key != colour_key}
    colour = selector.get(colour_key)
    reason = _foreign(selector, rest, shared, colour, colour_key)
    state = FOREIGN if reason else OVERLAP if colour is None else LIVE
    meta = service["metadata"]
    return Route(
        state,
        colour if state == LIVE else None,
        selector,
        shared,
        meta.get("annotations"),
        str(meta["resourceVersion"]),
        reason,
    )


def _foreign(
    selector: Mapping[str, str], rest: Mapping[str, str], shared: Mapping[str, str], colour: str | None, colour_key: str
) -> str:
    if not selector:
        return "it has no selector"
    if rest != dict(shared):
        return f"beside {colour_key} it selects {_text(rest)} where {_text(shared)} is expected"
    if colour is not None and colour not in COLOURS:
        return f"{colour_key} is {colour!r}, which is none of {', '.join(COLOURS)}"
    return ""


def _text(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "nothing"


def wanted_selector(route: Route, colour: str | None, colour_key: str) -> dict[str, str]:
    """The selector of LIVE(colour), or of OVERLAP for None."""
    return {**route.shared, **({colour_key: colour} if colour else {})}


def patch_to(
    route: Route, colour: str | None, colour_key: str, notes: Mapping[str, str | None], token: str | None
) -> Patch:
    """The guarded JSON patch from ``route`` to LIVE(colour), or to OVERLAP for None; reference 2.2.

    It applies only to the resourceVersion, the fencing token and the selector that were read. ``notes`` are the
    annotations that change with it; None removes one. An older run's token is replaced by the own one.
    """
    key_path = "/spec/selector/" + pointer(colour_key)
    patch: Patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": route.version}]
    if token is not None and route.note(FENCING) is not None:
        path = "/metadata/annotations/" + pointer(FENCING)
        patch.append({"op": "test", "path": path, "value": route.note(FENCING)})
    if token is not None and route.note(FENCING) != token:
        notes = {**notes, FENCING: token}
    if route.live:
        patch.append({"op": "test", "path": key_path, "value": route.live})
    else:
        # A test on a missing key fails, so that the whole selector is tested.
        patch.append({"op": "test", "path": "/spec/selector", "value": dict(route.selector)})
    if colour is None and route.live:
        patch.append({"op": "remove", "path": key_path})
    elif colour is not None and colour != route.live:
        patch.append({"op": "replace" if route.live else "add", "path": key_path, "value": colour})
    return patch + _note_ops(route, notes)


def _note_ops(route: Route, notes: Mapping[str, str | None]) -> Patch:
    ops: Patch = []
    if route.annotations is None and any(value is not None for value in notes.values()):
        ops.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for key, value in sorted(notes.items()):
        path = "/metadata/annotations/" + pointer(key)
        if value is not None:
            ops.append({"op": "add", "path": path, "value": value})
        elif route.note(key) is not None:
            ops.append({"op": "remove", "path": path})
    return ops


def pointer(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def judge(
    before: Route, wanted: Mapping[str, str], notes: Mapping[str, str | None], found: Route, token: str | None
) -> str:
    """What became of a write whose answer is not known, by a fresh read.

    DONE: the target is reached. UNCHANGED: nothing happened, one more try is allowed. LOST: somebody else writes.
    """
    if token is not None and found.note(FENCING) not in (token, before.note(FENCING)):
        return LOST
    own = token is None or found.note(FENCING) == token
    if found.selector == wanted and own:
        # When the selector stays, the annotations are what was written.
        moved = before.selector != wanted
        return DONE if moved or all(found.note(key) == value for key, value in notes.items()) else UNCHANGED
    same = found.selector in (before.selector, wanted)
    return UNCHANGED if same and found.state != ABSENT else LOST
