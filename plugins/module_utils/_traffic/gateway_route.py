# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rule of an HTTPRoute and its two colour backends, as read. Pure; reference section 2.5, Gateway API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOURS

API = "gateway.networking.k8s.io/v1"
# What a run of ours last set, so that a later one sees weights that somebody else set.
WEIGHTS = "golive.cutover/weights"
MIRROR = "RequestMirror"


@dataclass(frozen=True)
class Place:
    """Which rule: ``route`` and ``namespace`` of the HTTPRoute, ``rule`` its name or number, ``app`` whose colours."""

    route: str
    namespace: str
    rule: str
    app: str
    app_namespace: str

    def __str__(self) -> str:
        return f"rule {self.rule} of HTTPRoute {self.route} in namespace {self.namespace}"

    @property
    def canary(self) -> str:
        """Name of the rule that takes canary users."""
        return f"golive-{self.app}-canary"

    def service(self, colour: str) -> str:
        """Name of the fixed Service of a colour."""
        return f"{self.app}-{colour}"

    def is_backend(self, ref: Mapping[str, Any], colour: str) -> bool:
        """Whether a reference names the fixed Service of a colour."""
        return (
            ref.get("name") == self.service(colour)
            and ref.get("kind", "Service") == "Service"
            and not ref.get("group")
            and ref.get("namespace", self.namespace) == self.app_namespace
        )


@dataclass(frozen=True)
class Rule:
    """The rule as read. ``positions`` are those of the colours among its backendRefs; ``canary`` and ``mirror`` the
    positions of our own rule among the route's and of our own filter among the rule's."""

    place: Place
    route: Mapping[str, Any]
    index: int
    positions: Mapping[str, int]
    canary: int | None
    mirror: int | None

    @property
    def rules(self) -> list[Mapping[str, Any]]:
        """All rules of the route."""
        return list((self.route.get("spec") or {}).get("rules") or [])

    @property
    def spec(self) -> Mapping[str, Any]:
        """This rule."""
        return self.rules[self.index]

    @property
    def filters(self) -> list[Mapping[str, Any]]:
        """Filters of this rule."""
        return list(self.spec.get("filters") or [])

    @property
    def version(self) -> str:
        """resourceVersion of the route."""
        return str(self.route["metadata"]["resourceVersion"])

    @property
    def annotations(self) -> Mapping[str, str] | None:
        """Annotations of the route; None when it has none."""
        found: Mapping[str, str] | None = self.route["metadata"].get("annotations")
        return found

    def note(self, key: str) -> str | None:
        """The value of one annotation."""
        return (self.annotations or {}).get(key)

    def backend(self, colour: str) -> Mapping[str, Any]:
        """The reference to a colour."""
        found: Mapping[str, Any] = self.spec["backendRefs"][self.positions[colour]]
        return found

    def raw(self) -> dict[str, int]:
        """The weights as written; an absent one is 1."""
        return {colour: int(self.backend(colour).get("weight", 1)) for colour in COLOURS}

    def weights(self) -> dict[str, int]:
        """The weights in percent; a colour that takes any traffic has at least 1, so that it never looks idle."""
        raw = self.raw()
        share = round(100 * raw[COLOURS[0]] / sum(raw.values()))
        if min(raw.values()) > 0:
            share = min(99, max(1, share))
        return {COLOURS[0]: share, COLOURS[1]: 100 - share}


def read_rule(place: Place, route: Mapping[str, Any]) -> Rule:
    """The rule that ``place`` names. Raises GoliveError ``selector_foreign`` when it is not ours to move."""
    rules = list((route.get("spec") or {}).get("rules") or [])
    index = _index_of(place, rules)
    refs = list(rules[index].get("backendRefs") or [])
    positions = _positions(place, refs)
    found = Rule(place, route, index, positions, _canary(place, rules), _mirror(place, rules[index]))
    if sum(found.raw().values()) == 0:
        raise foreign(place, "both weights are 0, so that every request is answered with 500")
    return found


def _index_of(place: Place, rules: list[Mapping[str, Any]]) -> int:
    for index, rule in enumerate(rules):
        if rule.get("name") == place.rule:
            return index
    if place.rule.isdigit() and int(place.rule) < len(rules):
        return int(place.rule)
    names = ", ".join(str(rule.get("name") or index) for index, rule in enumerate(rules))
    raise foreign(place, f"there is no such rule (rules: {names or 'none'})")


def _positions(place: Place, refs: list[Mapping[str, Any]]) -> dict[str, int]:
    positions = {}
    for colour in COLOURS:
        found = [index for index, ref in enumerate(refs) if place.is_backend(ref, colour)]
        if len(found) != 1:
            many = "more than one backend" if found else "no backend"
            raise foreign(place, f"it has {many} for Service {place.service(colour)}")
        positions[colour] = found[0]
    strangers = [
        str(ref.get("name"))
        for index, ref in enumerate(refs)
        if index not in positions.values() and ref.get("weight", 1)
    ]
    if strangers:
        raise foreign(place, f"it also sends traffic to {', '.join(strangers)}")
    return positions


def _canary(place: Place, rules: list[Mapping[str, Any]]) -> int | None:
    return next((index for index, rule in enumerate(rules) if rule.get("name") == place.canary), None)


def _mirror(place: Place, rule: Mapping[str, Any]) -> int | None:
    for index, item in enumerate(rule.get("filters") or []):
        ref = (item.get("requestMirror") or {}).get("backendRef") or {}
        if item.get("type") == MIRROR and any(place.is_backend(ref, colour) for colour in COLOURS):
            return index
    return None


def foreign(place: Place, reason: str) -> GoliveError:
    """The refusal of a rule that is not ours to move."""
    return GoliveError(
        "selector_foreign",
        f"Cannot move {place}: {reason}.",
        f"Give the rule exactly two backends, Services {place.service('blue')} and {place.service('green')}, with"
        " weights such as 100 and 0.",
        {"route": place.route, "rule": place.rule},
    )


@dataclass(frozen=True)
class Fault:
    """What a condition of the route says is wrong."""

    code: str
    message: str


def faults_of(route: Mapping[str, Any]) -> list[Fault]:
    """What keeps the route from being in force, by its conditions for each parent; empty when all are well.

    ``route_pending``: a controller has not judged the newest generation. ``route_rejected``, ``route_unresolved``,
    ``route_partial``: it judged, and not well. Well-being is no proof that proxies follow (Gateway API has no
    "programmed" condition for routes).
    """
    spec, meta = route.get("spec") or {}, route["metadata"]
    parents = (route.get("status") or {}).get("parents") or []
    found = []
    for wanted in spec.get("parentRefs") or []:
        name = str(wanted.get("name"))
        mine = [parent for parent in parents if _same_parent(parent.get("parentRef") or {}, wanted, meta["namespace"])]
        if not mine:
            found.append(Fault("route_pending", f"no controller has judged it for Gateway {name}"))
        for parent in mine:
            found += _parent_faults(name, parent.get("conditions") or [], int(meta.get("generation") or 0))
    return found or ([] if spec.get("parentRefs") else [Fault("route_rejected", "it names no Gateway")])


def _same_parent(one: Mapping[str, Any], two: Mapping[str, Any], namespace: str) -> bool:
    def key(ref: Mapping[str, Any]) -> tuple[Any, ...]:
        kind = ref.get("kind") or "Gateway"
        return (kind, ref.get("name"), ref.get("namespace") or namespace, ref.get("sectionName"), ref.get("port"))

    return key(one) == key(two)


def _parent_faults(gateway: str, conditions: Iterable[Mapping[str, Any]], generation: int) -> list[Fault]:
    by_type = {str(row.get("type")): row for row in conditions}
    found = []
    for kind, code in (("Accepted", "route_rejected"), ("ResolvedRefs", "route_unresolved")):
        row = by_type.get(kind)
        if row is None or int(row.get("observedGeneration") or 0) != generation:
            seen = row.get("observedGeneration") if row else "none"
            text = f"Gateway {gateway}: {kind} is of generation {seen} where {generation} is the newest"
            found.append(Fault("route_pending", text))
        elif row.get("status") != "True":
            found.append(Fault(code, _said(gateway, row)))
    partial = by_type.get("PartiallyInvalid")
    if partial and partial.get("status") == "True":
        found.append(Fault("route_partial", _said(gateway, partial)))
    return found


def _said(gateway: str, row: Mapping[str, Any]) -> str:
    text = str(row.get("message") or "").strip().rstrip(".")
    return f"Gateway {gateway}: {row.get('type')} is {row.get('status')} ({row.get('reason')}): {text}"


def hidden_by(rule: Rule) -> int | None:
    """Position of an earlier rule that takes every request of this one, so that its weights would mean nothing.

    Among rules of one route with the same match the first one wins (HTTPRoute, precedence of matches).
    """
    mine = _matches(rule.spec)
    for index, earlier in enumerate(rule.rules[: rule.index]):
        if index != rule.canary and all(match in _matches(earlier) for match in mine):
            return index
    return None


def _matches(rule: Mapping[str, Any]) -> list[Any]:
    return list(rule.get("matches") or [{"path": {"type": "PathPrefix", "value": "/"}}])
