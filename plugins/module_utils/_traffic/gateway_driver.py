# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move traffic by the weights of two fixed backends in one rule of an HTTPRoute; reference section 2.5, Gateway API."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import JSON_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import own_token, refuse_newer
from ansible_collections.golive.cutover.plugins.module_utils._traffic.access import (
    Right,
    need_rights,
    rights_of_switch,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import Colour
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drivers import (
    MATCH,
    MIRROR,
    WEIGHT,
    Split,
    shares,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.endpoints import read_endpoints
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_hazards import (
    edited,
    edited_hazard,
    filter_hazards,
    rule_hazards,
    told,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_patch import Target, patch_of
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_proof import (
    find_new,
    prove_share,
    wait_conditions,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_route import (
    API,
    WEIGHTS,
    Fault,
    Place,
    Rule,
    faults_of,
    read_rule,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import REFUSE, WARN, Hazard
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    COLOURS,
    LEAVING,
    PREVIOUS,
    SWITCHED_AT,
    other,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.scene import Scene
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import (
    MANAGER,
    UNCERTAIN,
    WRITE_S,
    ServiceDriver,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish

# Controllers write the status of a route at any time, and each such write costs one more look.
_SENDS = 4
# The first share of a backend that had none: proxies learn it, and it proves that it answers, at little risk.
_FIRST = 1
_CONDITIONS = "conditions"
_ROUTE_RIGHTS: tuple[Right, ...] = tuple((verb, API.partition("/")[0], "httproutes") for verb in ("get", "patch"))


class GatewayDriver:
    """One rule of an HTTPRoute whose backends are the fixed Services ``<app>-blue`` and ``<app>-green``."""

    kind = "gateway"
    features: frozenset[str] = frozenset({WEIGHT, MATCH, MIRROR})

    def __init__(self, call: Call, client: Client, app: ServiceDriver) -> None:
        given = call.params["gateway"]
        namespace = given["namespace"] or app.namespace
        self.place = Place(given["route"], namespace, given["rule"], app.name, app.namespace)
        self._call = call
        self._client = client
        self._colour_key = app.colour_key
        self._token = own_token(call.params)
        self._rule: Rule | None = None

    def read(self) -> Split:
        """Where traffic goes now.

        Raises ``gateway_api_missing``, ``not_found``, ``selector_foreign``, ``lease_lost``.
        """
        return _split(self.read_rule())

    def read_rule(self) -> Rule:
        """The rule as it is now. Raises as ``read`` does."""
        route = self._client.get_or_none(self.path)
        if route is None:
            raise GoliveError(
                "not_found",
                f"Cannot move {self.place}: the route does not exist.",
                "Create it with both colours as backends, or use another driver.",
            )
        if self._token is not None:
            refuse_newer({"kind": "HTTPRoute", **route}, self._token)
        self._rule = read_rule(self.place, route)
        return self._rule

    @property
    def path(self) -> str:
        """API path of the route. Raises GoliveError ``gateway_api_missing``."""
        try:
            return self._client.path_of(API, "HTTPRoute", self.place.namespace, self.place.route)
        except GoliveError as error:
            if error.code != "kind_unknown":
                raise
            raise GoliveError(
                "gateway_api_missing",
                f"Cannot use {self.place}: this cluster has no Gateway API (it does not serve HTTPRoutes of {API}).",
                "Install the Gateway API and a controller for it, or expose the app without a gateway.",
            ) from error

    def rights(self) -> tuple[Right, ...]:
        """What a move needs in the app's namespace; those of the route are looked at by ``preflight``."""
        return tuple(right for right in rights_of_switch() if right[0] != "patch")

    def preflight(self, split: Split, wish: Wish, scene: Scene) -> tuple[Hazard, ...]:
        """Refuse what cannot be proven, would have no effect or would lose requests. Writes nothing."""
        rule = _rule_of(split)
        need_rights(self._client, self.place.namespace, _ROUTE_RIGHTS)
        if wish.proof != "slice" and wish.no_probe:
            raise GoliveError(
                "proof_unavailable",
                f"Cannot prove a move of {self.place}: {wish.no_probe}, and conditions of a route prove nothing.",
                "Give a probe with the public address, or weaken require_proof to slice.",
                {"strongest": _CONDITIONS},
            )
        found: list[Hazard] = []
        if split.leaving != wish.to:
            found = self._hazards(rule, wish)
        self._dry_run(rule, self._target(split, shares(wish.to, wish.weight), wish.old, wish))
        return (*found, *self._left_behind(wish, scene))

    def _left_behind(self, wish: Wish, scene: Scene) -> list[Hazard]:
        """Clients inside of the cluster use the live Service, which a route does not move."""
        selector = ((scene.service or {}).get("spec") or {}).get("selector") or {}
        if wish.weight < 100 or selector.get(self._colour_key) != wish.old:
            return []
        text = f"Service {self.place.app} keeps sending clients inside of the cluster to {wish.old}."
        hint = "A route moves only what comes through its Gateway. Move the Service too before the old colour shrinks."
        return [Hazard("service_stays", WARN, text, hint)]

    def _hazards(self, rule: Rule, wish: Wish) -> list[Hazard]:
        try:
            wait_conditions(self._call, lambda: self._faults(wish.to), wish.overlap_timeout)
        except GoliveError as error:
            hazards = [row.as_dict() for row in rule_hazards(rule, wish.accepted)]
            raise GoliveError(error.code, error.message, error.hint, {"hazards": hazards}) from error
        found = [row for row in rule_hazards(self.read_rule(), wish.accepted) if not row.code.startswith("route_")]
        found += filter_hazards(rule, shares(wish.to, wish.weight)) if min(rule.raw().values()) else []
        # Setting weights back to what the last run left is what the hint asks for.
        undo = edited(rule) and rule.note(WEIGHTS) == told(shares(wish.to, wish.weight))
        refused = [row for row in found if row.severity == REFUSE and not (undo and row.code == "weights_edited")]
        if refused:
            first, hazards = refused[0], [row.as_dict() for row in found]
            raise GoliveError(first.code, first.message, first.hint, {"hazards": hazards})
        return found

    def _dry_run(self, rule: Rule, target: Target) -> None:
        """Let the API server judge the write, and see that it keeps what older definitions of the API do not know."""
        try:
            made = read_rule(self.place, self._send(rule, target, {"dryRun": "All"}))
        except GoliveError as error:
            if error.code not in ("conflict", "invalid"):
                raise
            # Status or something else of the route changed meanwhile; the second answer counts.
            made = read_rule(self.place, self._send(self.read_rule(), target, {"dryRun": "All"}))
        if not target.users_are_in(made):
            raise GoliveError(
                "unsupported",
                f"The Gateway API of this cluster does not know names of rules or percents of mirrors ({self.place}).",
                "Update its definitions to 1.2 or newer, or leave match and mirror out.",
            )

    def reached(self, split: Split, wish: Wish) -> bool:
        """Whether weights, canary users and mirror are as wished."""
        return self._target(split, shares(wish.to, wish.weight), None, wish).is_in(_rule_of(split))

    def needed(self, split: Split, wish: Wish, colours: Mapping[str, Colour]) -> int:
        """Pods for the wished share of what the old colour runs now; one is enough to take an unfinished move back."""
        if split.leaving == wish.to:
            return 1
        return max(1, math.ceil(colours[wish.old].current * wish.weight / 100))

    def stages(self, split: Split, wish: Wish) -> tuple[int, ...]:
        """A first small share where there was none, then the wished one."""
        first = split.weights[wish.to] == 0 and wish.weight > _FIRST
        return (_FIRST, wish.weight) if first else (wish.weight,)

    def move(self, split: Split, weights: Mapping[str, int], leaving: str | None, wish: Wish) -> Split:
        """Guarded write of both weights in one patch; a write whose outcome is not known is looked at first.

        Raises GoliveError ``no_endpoints``, ``lease_lost``, ``write_failed`` or the server's refusal.
        """
        rule = self._newest(_rule_of(split))
        for colour in COLOURS:
            if weights[colour] > split.weights[colour]:
                self._need_endpoints(colour, wish.overlap_timeout)
        target = self._target(split, weights, leaving, wish)
        # The last run's weights, and the ones that are there, may be written over an edit by hand.
        if edited(rule) and told(weights) not in (rule.note(WEIGHTS), told(rule.raw())):
            found = edited_hazard(rule)
            raise GoliveError("lease_lost", found.message, found.hint, {"weights": rule.weights()})
        trouble: GoliveError | None = None
        for _send in range(_SENDS):
            self._call.alive()
            try:
                return _split(read_rule(self.place, self._send(rule, target, {})))
            except GoliveError as error:
                if error.code not in UNCERTAIN:
                    raise
                trouble = error
            now = self.read_rule()
            if target.is_in(now) and all(now.note(key) == value for key, value in target.notes.items()):
                return _split(now)
            if now.spec != rule.spec or now.note(LEAVING) != rule.note(LEAVING):
                raise self._lost(now)
            rule = now
        raise GoliveError(
            "write_failed",
            f"Could not move {self.place}: {trouble.message if trouble else 'the write had no effect'}",
            trouble.hint if trouble else None,
            trouble.details if trouble else None,
        )

    def _newest(self, rule: Rule) -> Rule:
        """The last reading, when only status has changed since the one that a move starts from."""
        latest = self._rule
        same = latest is not None and latest.rules == rule.rules and latest.annotations == rule.annotations
        return latest if latest is not None and same else rule

    def _target(self, split: Split, weights: Mapping[str, int], leaving: str | None, wish: Wish) -> Target:
        """Canary users and copies are there while both colours have traffic, from the wished share on."""
        shared = weights[wish.to] == wish.weight < 100
        notes: dict[str, str | None] = {LEAVING: leaving, WEIGHTS: told(weights)}
        live = Split(weights).live
        if live is not None and live != split.live:
            back = split.leaving == live
            notes[PREVIOUS] = split.previous if back and split.previous != live else None if back else other(live)
            notes[SWITCHED_AT] = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Target(dict(weights), wish.to, wish.match if shared else None, wish.mirror if shared else 0, notes)

    def _need_endpoints(self, colour: str, timeout: float) -> None:
        """A Service without ready endpoints answers 503 for its share, while every condition stays True."""
        service = self.place.service(colour)

        def look() -> Done[int] | Failed | Pending:
            ready = len(read_endpoints(self._client, self.place.app_namespace, service).ready_ids())
            return Done(ready) if ready else Pending("no endpoint is ready")

        try:
            wait_for(self._call, look, what=f"endpoints of Service {service}", timeout=timeout, interval=0.25)
        except GoliveError as error:
            if error.code != "timeout":
                raise
            text = f"Cannot send traffic to {colour}: Service {service} has no ready endpoint."
            hint = "Compare the selector of the Service with the labels of the pods; look whether these are ready."
            raise GoliveError("no_endpoints", text, hint) from error

    def _send(self, rule: Rule, target: Target, query: Mapping[str, str]) -> dict[str, Any]:
        return self._client.request(
            "PATCH",
            self.path,
            query={"fieldManager": MANAGER, **query},
            body=patch_of(rule, target, self._token),
            content_type=JSON_PATCH,
            # What may have moved traffic is looked at and never resent; a question may be asked again.
            retry="dryRun" in query,
            timeout=WRITE_S,
        )

    def _lost(self, found: Rule) -> GoliveError:
        return GoliveError(
            "lease_lost",
            f"Stopped moving {self.place}: somebody else writes to it; its weights are now {told(found.raw())}.",
            "Let one run move an app at a time; look at what is live (traffic_info), then run again.",
            {"weights": found.weights()},
        )

    def prove(self, split: Split, wish: Wish, weights: Mapping[str, int]) -> dict[str, Any]:
        """Conditions at the newest generation, then answers: new is heard, the share fits, or one colour answers."""

        def faults() -> list[Fault]:
            found = self.read_rule()
            if found.weights() != dict(weights):
                raise self._lost(found)
            return self._tolerable(found, max(weights, key=lambda colour: weights[colour]))

        seconds = wait_conditions(self._call, faults, wish.narrow_timeout)
        generation = (self._rule or _rule_of(split)).route["metadata"].get("generation")
        proof: dict[str, Any] = {"level": _CONDITIONS, "conditions": {"generation": generation, "seconds": seconds}}
        if wish.probe is None or wish.no_probe:
            return proof
        share = weights[wish.to]
        if share == _FIRST < wish.weight:
            answers = find_new(self._call, wish.probe, wish.expect, wish.outside_timeout)
        else:
            answers = prove_share(self._call, wish.probe, wish.expect, share, wish.proof_timeout)
        return {**proof, "level": "probe", "probe": answers}

    def _faults(self, gaining: str) -> list[Fault]:
        return self._tolerable(self.read_rule(), gaining)

    def _tolerable(self, rule: Rule, gaining: str) -> list[Fault]:
        """The faults of the conditions, less the one that only says that the colour which loses is gone already."""
        faults = faults_of(rule.route)
        unresolved = any(fault.code == "route_unresolved" for fault in faults)
        if unresolved and self._resolves(rule, gaining) and not self._resolves(rule, other(gaining)):
            return [fault for fault in faults if fault.code != "route_unresolved"]
        return faults

    def _resolves(self, rule: Rule, colour: str) -> bool:
        path = self._client.path_of("v1", "Service", self.place.app_namespace, self.place.service(colour))
        service = self._client.get_or_none(path)
        ports = [] if service is None else service["spec"].get("ports") or []
        return any(port["port"] == rule.backend(colour).get("port") for port in ports)

    def manual_patch(self, colour: str) -> str:
        """The command that gives a colour all traffic by hand."""
        rule = self._rule or self.read_rule()
        patch = [
            {
                "op": "add",
                "path": f"/spec/rules/{rule.index}/backendRefs/{rule.positions[name]}/weight",
                "value": 100 if name == colour else 0,
            }
            for name in COLOURS
        ]
        place = self.place
        return f"kubectl -n {place.namespace} patch httproute {place.route} --type=json -p '{json.dumps(patch)}'"

    def describe(self, split: Split, accepted: tuple[str, ...]) -> tuple[dict[str, Any], list[Hazard]]:
        """Where the weights are, what the conditions say of them, and what else the rule does."""
        rule = _rule_of(split)
        place = self.place
        mirror = rule.filters[rule.mirror]["requestMirror"].get("percent", 100) if rule.mirror is not None else 0
        ready = {
            colour: len(read_endpoints(self._client, place.app_namespace, place.service(colour)).ready_ids())
            for colour in COLOURS
        }
        shown = {
            "route": place.route,
            "namespace": place.namespace,
            "rule": place.rule,
            "generation": rule.route["metadata"].get("generation"),
            "faults": [{"code": fault.code, "message": fault.message} for fault in faults_of(rule.route)],
            "canary_users": rule.canary is not None,
            "mirror": mirror,
            "endpoints": ready,
        }
        found = rule_hazards(rule, accepted)
        for colour, count in ready.items():
            if split.weights[colour] and not count:
                text = f"Service {place.service(colour)} has a weight and no ready endpoint: its share gets 503."
                found.append(Hazard("no_endpoints", REFUSE, text, "Give it ready pods, or take its weight away."))
        return {"gateway": shown}, found


def _split(rule: Rule) -> Split:
    leaving = rule.note(LEAVING)
    return Split(
        weights=rule.weights(),
        leaving=leaving if leaving in COLOURS else None,
        previous=rule.note(PREVIOUS),
        switched_at=rule.note(SWITCHED_AT),
        seen={"rule": rule},
    )


def _rule_of(split: Split) -> Rule:
    found: Rule = split.seen["rule"]
    return found
