# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move live traffic from one colour to the other: R0 to R4, R6 when something fails; reference 2.3 and 2.4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.access import need_rights, rights_of_switch
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import (
    Members,
    not_up,
    parse_time,
    read_colour,
    read_members,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drivers import not_given_back, shares
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import WARN
from ansible_collections.golive.cutover.plugins.module_utils._traffic.kube_proxy import read_syncs
from ansible_collections.golive.cutover.plugins.module_utils._traffic.proof import (
    APART_S,
    Means,
    Nodes,
    prove_by_probe,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.prove import Prover, here, need_means
from ansible_collections.golive.cutover.plugins.module_utils._traffic.refill import follow_growth, hold_both, refill
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    COLOURS,
    LEAVING,
    LIVE,
    OVERLAP,
    PREVIOUS,
    PREVIOUS_RELEASE,
    SIZE,
    SWITCHED_AT,
    Route,
    now_text,
    wanted_selector,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.scene import Scene, read_scene
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.steps import Record
from ansible_collections.golive.cutover.plugins.module_utils._traffic.waits import (
    QUIET_S,
    Serving,
    not_ready,
    wait_serving,
    wait_up,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish

_RETURN_TRIES = 3
# What learns of a switch by itself may know no pod for a moment.
_DETACHING = ("pod_load_balancer", "gateway_route", "mesh")
_ELSEWHERE = ("lease_lost", "selector_foreign")


class Switch:
    """One switch of one app. ``run`` returns the result; a failure says where traffic is in its details."""

    def __init__(self, call: Call, client: Client, driver: ServiceDriver, wish: Wish, record: Record) -> None:
        self._call = call
        self._client = client
        self._driver = driver
        self._wish = wish
        self._record = record
        self._live: str | None = None
        self._attempted = False
        self._back = False
        self._previous: dict[str, str | None] = {}
        self._old_pods: Mapping[str, str] = {}
        self._families: tuple[str, ...] = ()

    @property
    def live(self) -> str | None:
        """The colour that takes traffic as far as this switch knows; None while both do."""
        return self._live

    def read_live(self) -> str | None:
        """The colour that takes all traffic now. Raises GoliveError as ``read_usable`` does."""
        return self._driver.read_usable().live

    def run(self) -> dict[str, Any]:
        """Raises GoliveError; ``returned`` in its details says whether traffic was switched back."""
        with self._record.step("preflight") as step:
            route = self._driver.read_usable()
            step["state"] = route.state
            self._live = route.live
            self._previous = {key: route.note(key) for key in (PREVIOUS, PREVIOUS_RELEASE)}
            scene = read_scene(self._client, self._driver, route.shared, self._wish.accepted)
            self._families = scene.families
            means = need_means(self._client, self._driver.name, scene.service, self._wish)
            self._back = goes_back(route, scene, self._wish.to)
            if route.live != self._wish.to:
                self._preflight(route, scene)
        if route.live == self._wish.to:
            return self._already(route, scene, means)
        if self._call.check_mode:
            return self._plan(route, scene)
        self._attempted = route.state == OVERLAP
        try:
            self._stand_up(route, scene)
            self._record.start_probing(self._wish.probe, self._wish.rate)
            proof = self._move(route, scene, means)
        except GoliveError as error:
            if error.code in _ELSEWHERE or not self._attempted:
                raise
            # What an unfinished move is taken back from was never proven.
            if self._wish.stays or route.leaving == self._wish.to:
                raise not_given_back(error, self._wish.old, self._live) from error
            self._return(error, means)
        self._close()
        return self._result(route, self._left(route), proof, scene)

    def _preflight(self, route: Route, scene: Scene) -> None:
        if not self._back:
            scene.refuse()
        # A return must not wait for questions whose answers the way there gave.
        if not self._back or self._call.check_mode:
            need_rights(self._client, self._driver.namespace, rights_of_switch())
            self._driver.dry_run(route, self._wish.to, {SWITCHED_AT: now_text()})
            if route.state == LIVE:
                self._driver.dry_run(route, None, {LEAVING: self._wish.old})
        for hazard in scene.hazards:
            if hazard.severity == WARN:
                self._call.warn(f"{hazard.message} {hazard.hint}")
        if not self._wish.overlap:
            self._call.warn("Without overlap, clients may find no endpoint for a moment.")

    def _left(self, route: Route) -> str:
        return route.leaving if route.leaving and route.leaving != self._wish.to else self._wish.old

    def _already(self, route: Route, scene: Scene, means: Means) -> dict[str, Any]:
        """Traffic is where it should be: prove it, and finish what an interrupted run left unproven."""
        unproven = route.leaving is not None and route.leaving != self._wish.to
        left = self._wish.old
        with self._record.step("proof") as step:
            if self._call.check_mode:
                return self._result(route, self._previous[PREVIOUS], None, scene, unproven)
            # What was proven is only looked at again.
            quiet_s, apart = (QUIET_S, APART_S) if unproven else (0.0, 0.0)
            try:
                serving = self._serving((self._wish.to,), {}, self._wish.narrow_timeout, quiet_s)
                since = parse_time(serving.endpoints.written_at) if serving.endpoints.written_at else None
                former = len(scene.members.ready[left])
                prover = self._prover(means)
                proof = prover.colour(serving.endpoints, prover.nodes({}, since, apart), self._wish.to, former)
            except GoliveError as error:
                if not unproven:
                    raise
                if self._wish.stays:
                    raise not_given_back(error, left, self._live) from error
                self._old_pods = scene.members.ready[left]
                self._previous = dict.fromkeys(self._previous)
                self._return(error, means)
            step.update(level=proof["level"])
        if unproven:
            self._close()
        return self._result(route, left if unproven else self._previous[PREVIOUS], proof, scene, unproven)

    def _plan(self, route: Route, scene: Scene) -> dict[str, Any]:
        """Check mode: what would be, and what the real run would first wait for."""
        reasons = not_up(scene.colours[self._wish.to], self._needed(route, scene))
        if reasons:
            first = "brings it up and waits" if self._back else "waits"
            self._call.warn(
                f"{self._driver.name}-{self._wish.to} is not up now ({'; '.join(reasons[:3])}): the real run {first}"
                f" {self._wish.ready_timeout:g} s for it, then refuses."
            )
        return self._result(route, self._left(route), None, scene)

    def _needed(self, route: Route, scene: Scene) -> int:
        """Pods of the colour that takes over: as many as the other one runs; for a return at least those recorded."""
        live = scene.colours[self._wish.old].current
        if route.leaving == self._wish.to and route.state == OVERLAP:
            return max(1, route.size)
        return max(1, live or (route.size if self._back else 0))

    def _stand_up(self, route: Route, scene: Scene) -> None:
        """R1."""
        needed = self._needed(route, scene)
        if self._back:
            self._stand_up_again(route, scene, needed)
            return
        with self._record.step("stand_up") as step:
            held = hold_both(self._call, self._client, self._driver, dict.fromkeys(COLOURS, needed))
            new = wait_up(
                self._call,
                self._client,
                self._driver,
                self._wish.to,
                needed,
                self._wish.soak,
                self._wish.ready_timeout,
                hopeful=f"{self._driver.name}-{self._wish.to}" in held,
                soaked=self._wish.soaked,
            )
            step["pods"] = len(new.pods)
            if scene.stays_on_node:
                members = self._members()
                bare = sorted(members.nodes[self._wish.old] - members.nodes[self._wish.to])
                if bare:
                    reason = f"no pod of {self._wish.to} on {', '.join(bare)}, which the traffic policy Local needs"
                    raise not_ready(self._driver, self._wish.to, [reason])

    def _stand_up_again(self, route: Route, scene: Scene, needed: int) -> None:
        """R6: the colour that was left is there as recorded, or comes back while both serve."""
        there = len(scene.members.ready[self._wish.to])
        taken_back = route.state == OVERLAP and route.leaving == self._wish.to
        if there >= needed or (taken_back and there and scene.colours[self._wish.to].wanted >= needed):
            return
        with self._record.step("refill") as step:
            if route.state == LIVE and there:
                self._attempted = True
                self._driver.move(self._driver.read_usable(), None, {LEAVING: self._wish.old, SIZE: str(needed)})
                self._live = None
            refill(self._call, self._client, self._driver, self._wish.to, needed)
            limit = self._wish.ready_timeout
            wait_up(self._call, self._client, self._driver, self._wish.to, needed, 0.0, limit, hopeful=True)
            step.update(before=there, pods=needed)

    def _move(self, route: Route, scene: Scene, means: Means) -> dict[str, Any]:
        """R2 to R4."""
        old = self._wish.old
        self._old_pods = scene.members.ready[old]
        pods = dict(scene.members.every[old])
        expected: frozenset[str] = frozenset()
        if self._by_both(self._driver.read_usable(), scene):
            serving = self._overlap(scene, means)
            self._old_pods = serving.members.ready[old]
            pods |= serving.members.every[old]
            expected = frozenset(serving.members.ready[self._wish.to])
        narrowed, nodes = self._narrow(route, scene, means, pods, expected)
        with self._record.step("proof") as step:
            old_count = len(self._old_pods)
            proof = self._prover(means).colour(narrowed.endpoints, nodes, self._wish.to, old_count)
            step["level"] = proof["level"]
        return proof

    def _by_both(self, route: Route, scene: Scene) -> bool:
        """Whether the way leads through R2. A return is one write, unless somebody detaches before they attach."""
        if route.state == OVERLAP:
            return route.leaving != self._wish.to
        detaching = any(hazard.code in _DETACHING for hazard in scene.hazards)
        return self._wish.overlap and (not self._back or detaching)

    def _overlap(self, scene: Scene, means: Means) -> Serving:
        """R2: both colours serve, on every slice and from outside."""
        with self._record.step("overlap") as step:
            self._attempted = True
            route = self._driver.read_usable()
            if route.state == LIVE:
                size = str(scene.colours[self._wish.old].current)
                self._driver.move(route, None, {LEAVING: self._wish.old, SIZE: size})
            self._live = None
            try:
                serving = self._serving((self._wish.old, self._wish.to), {}, self._wish.overlap_timeout)
                step["endpoints"] = len(serving.endpoints.ready_ids())
                if self._wish.probe is not None and means.level == "probe":
                    seen = prove_by_probe(
                        self._call, self._wish.probe, self._wish.expect, 1, self._wish.outside_timeout, here()
                    )
                    step["first_answer_after"] = seen["asked"]
                follow_growth(
                    self._call, self._client, self._driver, self._wish.to, self._grown, self._wish.ready_timeout
                )
            except GoliveError as error:
                raise _renamed(error, "overlap_failed", f"{self._wish.to} did not join {self._wish.old}") from error
            return serving

    def _grown(self) -> dict[str, int]:
        """Old may have grown since R1: as many pods of both as it runs now."""
        old = read_colour(self._client, self._driver.namespace, self._driver.name, self._wish.old)
        return dict.fromkeys(COLOURS, old.current)

    def _narrow(
        self, route: Route, scene: Scene, means: Means, old_pods: Mapping[str, str], expected: frozenset[str]
    ) -> tuple[Serving, Nodes]:
        """R3: only new serves. ``expected`` are the UIDs of new that must still be ready."""
        with self._record.step("narrow") as step:
            try:
                members = self._members()
                gone = expected - members.ready[self._wish.to].keys()
                if gone or not members.ready[self._wish.to]:
                    reason = f"{len(gone)} of its pods stopped being ready" if gone else "none of its pods is ready"
                    raise not_ready(self._driver, self._wish.to, [reason])
                before = read_syncs(self._client, scene.families) if means.syncs and not self._back else means.syncs
                nodes = self._prover(means).nodes(before)
                fresh = self._driver.read_usable()
                notes: dict[str, str | None] = {LEAVING: self._wish.old, SWITCHED_AT: now_text()}
                notes |= self._notes_of(route, scene)
                self._attempted = True
                self._driver.move(fresh, self._wish.to, notes)
                self._live = self._wish.to
                begin = nodes.begin if means.syncs else None
                serving = self._serving((self._wish.to,), old_pods, self._wish.narrow_timeout, meanwhile=begin)
            except GoliveError as error:
                raise _renamed(error, "narrow_failed", f"{self._wish.old} did not leave") from error
            step["endpoints"] = len(serving.endpoints.ready_ids())
            return serving, nodes

    def _notes_of(self, route: Route, scene: Scene) -> dict[str, str | None]:
        """What to return to: the colour that is left, or what it was before a switch that is only taken back."""
        if route.state == OVERLAP and route.leaving == self._wish.to:
            return self._previous
        return {PREVIOUS: self._wish.old, PREVIOUS_RELEASE: scene.colours[self._wish.old].identity}

    def _serving(
        self,
        colours: tuple[str, ...],
        banned: Mapping[str, str],
        timeout: float,
        quiet_s: float = QUIET_S,
        meanwhile: Callable[[], object] | None = None,
    ) -> Serving:
        return wait_serving(
            self._call, self._client, self._driver, self._families, colours, banned, timeout, quiet_s, meanwhile
        )

    def _prover(self, means: Means) -> Prover:
        return Prover(self._call, self._client, self._families, self._wish, means)

    def _close(self) -> None:
        """Take the mark of an unfinished switch off: the proof is recorded."""
        with self._record.step("close"):
            route = self._driver.read_usable()
            if route.live == self._wish.to and route.note(LEAVING) is not None:
                self._driver.move(route, self._wish.to, {LEAVING: None})

    def _return(self, cause: GoliveError, means: Means) -> NoReturn:
        """R6: bring traffic back to the old colour, then raise ``cause`` with how that went."""
        old = self._wish.old
        with self._record.step("return") as step:
            moved = self._go_back_or_give_up(cause)
            if moved:
                step["proof"] = self._prove_return(means)
        outcome = f"Traffic was switched back to {old}." if moved else f"Traffic stays on {old}."
        details = {**cause.details, "returned": moved, "live": old, "changed": moved}
        raise GoliveError(cause.code, f"{cause.message} {outcome}", cause.hint, details) from cause

    def _go_back_or_give_up(self, cause: GoliveError) -> bool:
        trouble = cause
        for _try in range(_RETURN_TRIES):
            try:
                return self._go_back()
            except GoliveError as error:
                trouble = error
                if error.code in (*_ELSEWHERE, "not_ready"):
                    break
        patch = self._driver.manual_patch(self._wish.old)
        raise GoliveError(
            trouble.code if trouble.code in _ELSEWHERE else "return_failed",
            f"{cause.message} Switching back to {self._wish.old} failed too: {trouble.message}",
            f"Look at both colours, then set it by hand: {patch}",
            {**cause.details, "returned": False, "manual_patch": patch, "cause": cause.code, "changed": True},
        ) from trouble

    def _go_back(self) -> bool:
        """Write the old colour, after its pods are there again if they had gone; False when traffic never left it."""
        old = self._wish.old
        route = self._driver.read_usable()
        if route.live == old and route.note(LEAVING) is None:
            self._live = old
            return False
        if route.live != old:
            route = self._refilled(route)
        notes: dict[str, str | None] = {LEAVING: None}
        if route.live == self._wish.to:
            notes |= {**self._previous, SWITCHED_AT: now_text()}
        self._driver.move(route, old, notes)
        self._live = old
        return True

    def _refilled(self, route: Route) -> Route:
        """The route once old can carry all traffic; both colours serve while it is not there yet."""
        old = self._wish.old
        enough = max(1, len(self._old_pods)) if route.state == LIVE else 1
        if len(self._members().ready[old]) >= enough:
            return route
        if route.state == LIVE:
            self._driver.move(route, None, {LEAVING: old})
            self._live = None
        refill(self._call, self._client, self._driver, old, enough)
        wait_up(self._call, self._client, self._driver, old, enough, 0.0, self._wish.ready_timeout, hopeful=True)
        return self._driver.read_usable()

    def _members(self) -> Members:
        return read_members(self._client, self._driver.namespace, self._driver.shared(), self._driver.colour_key)

    def _prove_return(self, means: Means) -> dict[str, Any] | str:
        old = self._wish.old
        try:
            serving = self._serving((old,), {}, self._wish.narrow_timeout)
            since = parse_time(serving.endpoints.written_at) if serving.endpoints.written_at else None
            new = len(serving.members.ready[self._wish.to])
            prover = self._prover(means)
            return prover.colour(serving.endpoints, prover.nodes({}, since), old, new)
        except GoliveError as error:
            self._call.warn(f"Traffic is set back to {old}, but that is not proven: {error.message}")
            return error.message

    def _result(
        self, route: Route, previous: str | None, proof: dict[str, Any] | None, scene: Scene, changed: bool = True
    ) -> dict[str, Any]:
        wanted = wanted_selector(route, self._wish.to, self._driver.colour_key)
        name = f"Service {self._driver.namespace}/{self._driver.name} selector"
        shown = self._call.diff_mode and route.selector != wanted
        return {
            "changed": changed,
            "live": self._wish.to,
            "previous": previous,
            "driver": self._driver.kind,
            "weights": shares(self._wish.to, 100),
            "proof": proof,
            "hazards": [hazard.as_dict() for hazard in scene.hazards],
            "returned": False,
            **({"diff": [diff_of(name, dict(route.selector), wanted)]} if shown else {}),
        }


def goes_back(route: Route, scene: Scene, to: str) -> bool:
    """Whether ``to`` only takes back what it had: an unfinished switch from it, or all traffic while it still is the
    release that was live before the last switch."""
    if route.state == OVERLAP and route.leaving == to:
        return True
    known = route.note(PREVIOUS) == to and route.note(PREVIOUS_RELEASE) is not None
    return known and route.note(PREVIOUS_RELEASE) == scene.colours[to].identity


def _renamed(error: GoliveError, code: str, what: str) -> GoliveError:
    if error.code in _ELSEWHERE or error.code not in ("endpoints", "not_ready", "proof_failed"):
        return error
    return GoliveError(code, f"{what}: {error.message}", error.hint, error.details)
