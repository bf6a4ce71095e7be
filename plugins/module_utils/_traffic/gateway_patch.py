# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guarded patch of one rule of an HTTPRoute: weights, canary users, mirror. Pure; reference 2.2 and 2.5."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_route import MIRROR, Rule
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOURS, FENCING, Patch, pointer
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Match


@dataclass(frozen=True)
class Target:
    """What a write shall make of the rule: percents by colour, and where canary users and copies go, if anywhere.

    ``notes`` are annotations; None takes one away.
    """

    weights: Mapping[str, int]
    colour: str
    match: Match | None
    mirror: int
    notes: Mapping[str, str | None]

    def is_in(self, rule: Rule) -> bool:
        """Whether the rule as read routes like this, annotations aside."""
        return rule.raw() == dict(self.weights) and self.users_are_in(rule)

    def users_are_in(self, rule: Rule) -> bool:
        """Whether canary users and copies are as wanted."""
        return _same_canary(rule, self) and _same_mirror(rule, self)


def patch_of(rule: Rule, target: Target, token: str | None) -> Patch:
    """The JSON patch from ``rule`` as read to ``target``.

    It applies only to the resourceVersion, fencing token, backend names and weights that were read, and touches
    nothing of the route but these two weights, our own rule and our own filter. Both weights go in one patch.
    """
    base = f"/spec/rules/{rule.index}"
    patch: Patch = [_test("/metadata/resourceVersion", rule.version)]
    if rule.note(FENCING) is not None:
        patch.append(_test(_annotation(FENCING), rule.note(FENCING)))
    for colour in COLOURS:
        place = f"{base}/backendRefs/{rule.positions[colour]}"
        patch.append(_test(f"{place}/name", rule.place.service(colour)))
        if "weight" in rule.backend(colour):
            patch.append(_test(f"{place}/weight", rule.backend(colour)["weight"]))
        patch.append({"op": "add", "path": f"{place}/weight", "value": target.weights[colour]})
    notes = {**target.notes, **({FENCING: token} if token is not None else {})}
    return patch + _mirror_ops(rule, target, base) + _canary_ops(rule, target) + _note_ops(rule, notes)


def _test(path: str, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _annotation(key: str) -> str:
    return "/metadata/annotations/" + pointer(key)


def _note_ops(rule: Rule, notes: Mapping[str, str | None]) -> Patch:
    ops: Patch = []
    if rule.annotations is None and any(value is not None for value in notes.values()):
        ops.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    for key, value in sorted(notes.items()):
        if value is not None:
            ops.append({"op": "add", "path": _annotation(key), "value": value})
        elif rule.note(key) is not None:
            ops.append({"op": "remove", "path": _annotation(key)})
    return ops


def _mirror_ops(rule: Rule, target: Target, base: str) -> Patch:
    if _same_mirror(rule, target):
        return []
    if rule.mirror is not None:
        here = f"{base}/filters/{rule.mirror}"
        guard = _test(here, rule.filters[rule.mirror])
        change = {"op": "replace", "path": here, "value": mirror_filter(rule, target)} if target.mirror else None
        return [guard, change or {"op": "remove", "path": here}]
    if "filters" in rule.spec:
        return [{"op": "add", "path": f"{base}/filters/-", "value": mirror_filter(rule, target)}]
    return [{"op": "add", "path": f"{base}/filters", "value": [mirror_filter(rule, target)]}]


def _same_mirror(rule: Rule, target: Target) -> bool:
    if rule.mirror is None or not target.mirror:
        return rule.mirror is None and not target.mirror
    found = rule.filters[rule.mirror]["requestMirror"]
    same = rule.place.is_backend(found["backendRef"], target.colour)
    return bool(same and found.get("percent", 100) == target.mirror)


def mirror_filter(rule: Rule, target: Target) -> dict[str, Any]:
    """A filter of the whole rule. A filter of one backend would make proxies drop requests; see ``gateway_hazards``."""
    ref = {key: value for key, value in rule.backend(target.colour).items() if key not in ("weight", "filters")}
    return {"type": MIRROR, "requestMirror": {"backendRef": ref, "percent": target.mirror}}


def _canary_ops(rule: Rule, target: Target) -> Patch:
    if _same_canary(rule, target):
        return []
    if rule.canary is None:
        return [{"op": "add", "path": "/spec/rules/-", "value": canary_rule(rule, target)}]
    here = f"/spec/rules/{rule.canary}"
    guard = _test(f"{here}/name", rule.place.canary)
    change = {"op": "replace", "path": here, "value": canary_rule(rule, target)} if target.match else None
    return [guard, change or {"op": "remove", "path": here}]


def _same_canary(rule: Rule, target: Target) -> bool:
    if rule.canary is None or target.match is None:
        return rule.canary is None and target.match is None
    found, wanted = rule.rules[rule.canary], canary_rule(rule, target)
    refs = found.get("backendRefs") or []
    same = len(refs) == 1 and rule.place.is_backend(refs[0], target.colour)
    return bool(same and found.get("matches") == wanted["matches"])


def canary_rule(rule: Rule, target: Target) -> dict[str, Any]:
    """The rule for canary users: each match of the app's rule with one header more, all to one colour.

    It stands behind the app's rule, so that this one keeps its number: proxies name their clusters by it. It wins by
    its header all the same: more matching headers come before the order of rules (HTTPRoute, precedence of matches).
    """
    own = _header(target.match) if target.match else {}
    spec = rule.spec
    made: dict[str, Any] = {"name": rule.place.canary}
    matches = spec.get("matches") or [{"path": {"type": "PathPrefix", "value": "/"}}]
    made["matches"] = [{**match, "headers": [*(match.get("headers") or []), own]} for match in matches]
    filters = [item for index, item in enumerate(rule.filters) if index != rule.mirror]
    if filters:
        made["filters"] = filters
    if "timeouts" in spec:
        made["timeouts"] = spec["timeouts"]
    ref = {key: value for key, value in rule.backend(target.colour).items() if key != "filters"}
    made["backendRefs"] = [{**ref, "weight": 1}]
    return copy.deepcopy(made)


def _header(match: Match) -> dict[str, str]:
    if match.header:
        return {"type": "Exact", "name": match.header, "value": match.value}
    # Implementations match the whole header (RE2), in which a client may send other cookies too.
    one = f"{re.escape(match.cookie or '')}={re.escape(match.value)}"
    return {"type": "RegularExpression", "name": "Cookie", "value": f"(.*;\\s*)?{one}(\\s*;.*)?"}
