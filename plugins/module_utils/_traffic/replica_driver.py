# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares of traffic by the number of pods of each colour, behind the live Service, where there is no gateway.

Both colours serve (OVERLAP), and the data plane spreads connections over pods. The share is what the pods make it,
and is reported as such. The colour that is left keeps the pods that carried all traffic, so that a return is one write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.access import Right, rights_of_switch
from ansible_collections.golive.cutover.plugins.module_utils._traffic.autoscalers import read_autoscalers
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import (
    Colour,
    parse_time,
    read_colour,
    read_members,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drivers import WEIGHT, Split, shares
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import WARN, Hazard
from ansible_collections.golive.cutover.plugins.module_utils._traffic.proof import prove_by_probe
from ansible_collections.golive.cutover.plugins.module_utils._traffic.prove import Prover, here, need_means
from ansible_collections.golive.cutover.plugins.module_utils._traffic.replica_plan import Sizes, sizes_for
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    COLOURS,
    LEAVING,
    LIVE,
    PREVIOUS,
    SIZE,
    SWITCHED_AT,
    Route,
    now_text,
    other,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.scene import Scene, families_of
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.sizing import scale
from ansible_collections.golive.cutover.plugins.module_utils._traffic.waits import wait_serving, wait_up
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish

_ROUTE = "route"
_EVEN = 50


class ReplicaDriver:
    """The live Service of the app, and the sizes of its colours."""

    kind = "replicas"
    features: frozenset[str] = frozenset({WEIGHT})

    def __init__(self, call: Call, client: Client, app: ServiceDriver) -> None:
        given = call.params["pods"] or {}
        self._call = call
        self._client = client
        self._app = app
        self._most: int | None = given.get("most")
        self._tolerance: int = given.get("tolerance", 5)
        self._prover: Prover | None = None

    def read(self) -> Split:
        """The share of each colour by its ready pods. Raises ``not_found``, ``selector_foreign``, ``lease_lost``."""
        route = self._app.read_usable()
        if route.state == LIVE:
            return self._split(route, shares(route.live or COLOURS[0], 100))
        members = read_members(self._client, self._app.namespace, self._app.shared(), self._app.colour_key)
        ready = {colour: len(members.ready[colour]) for colour in COLOURS}
        return self._split(route, shares(COLOURS[0], Sizes(ready[COLOURS[0]], ready[COLOURS[1]]).share))

    def _split(self, route: Route, weights: Mapping[str, int]) -> Split:
        return Split(
            weights,
            leaving=route.leaving,
            previous=route.note(PREVIOUS),
            switched_at=route.note(SWITCHED_AT),
            seen={_ROUTE: route},
        )

    def rights(self) -> tuple[Right, ...]:
        """Those of a switch, and to scale."""
        return (*rights_of_switch(), ("patch", "apps", "deployments"))

    def preflight(self, split: Split, wish: Wish, scene: Scene) -> tuple[Hazard, ...]:
        """Refuse a share that the pods cannot give, and autoscalers, which would change it."""
        self._prover_of(scene.service, wish)
        if wish.weight < 100:
            self._sizes(split, wish, wish.weight)
            self._need_no_autoscaler()
        route = _route_of(split)
        colour = wish.to if wish.weight == 100 else None
        if route.live != colour:
            self._app.dry_run(route, colour, {LEAVING: wish.old})
        return ()

    def _prover_of(self, service: Mapping[str, Any] | None, wish: Wish) -> Prover:
        if self._prover is None:
            means = need_means(self._client, self._app.name, service, wish)
            self._prover = Prover(self._call, self._client, families_of(service), wish, means)
        return self._prover

    def _need_no_autoscaler(self) -> None:
        found = self._autoscaled()
        if found:
            raise GoliveError(
                "unsupported",
                f"Driver {self.kind} cannot do {WEIGHT} while an autoscaler sizes {', '.join(found)}:"
                " it would change the shares.",
                "Use a gateway, or remove the autoscaler until all traffic is on one colour.",
                {"driver": self.kind, "features": [WEIGHT]},
            )

    def reached(self, split: Split, wish: Wish) -> bool:
        """Whether the colours have the wished sizes and both serve, or one has all."""
        if wish.weight == 100:
            return split.live == wish.to
        if split.live is not None or split.leaving != wish.old:
            return False
        wanted = self._sizes(split, wish, wish.weight)
        return Sizes(self._colour(wish.to).wanted, self._colour(wish.old).wanted) == wanted

    def needed(self, split: Split, wish: Wish, colours: Mapping[str, Colour]) -> int:
        """All that it has now, and one at least; ``move`` brings it to size and waits again."""
        back = split.leaving == wish.to
        return 1 if back else max(1, colours[wish.to].wanted)

    def stages(self, split: Split, wish: Wish) -> tuple[int, ...]:
        """The real share; all traffic goes by way of both colours (R2)."""
        if wish.weight < 100:
            return (self._sizes(split, wish, wish.weight).share,)
        return (_EVEN, 100) if split.live == wish.old else (100,)

    def move(self, split: Split, weights: Mapping[str, int], leaving: str | None, wish: Wish) -> Split:
        """Bring the colours to size, wait for their pods, then write the selector."""
        route = _route_of(split)
        live = next((colour for colour, share in weights.items() if share == 100), None)
        if leaving is None and live is not None:
            return self._ended(route, live)
        base = self._base(split, wish)
        sizes = Sizes(base, base) if live or wish.weight == 100 else self._sizes(split, wish, weights[wish.to])
        self._bring(wish.to, sizes.new, wish)
        self._bring(wish.old, sizes.old, wish)
        notes: dict[str, str | None] = {LEAVING: leaving, SIZE: str(base)}
        if live is not None:
            notes |= {PREVIOUS: other(live), SWITCHED_AT: now_text()}
        moved = self._app.move(self._app.read_usable(), live, notes)
        return self._split(moved, weights if live else shares(wish.to, sizes.share))

    def _ended(self, route: Route, live: str) -> Split:
        """One colour has all traffic and nothing is unfinished: after the proof, or when a move is taken back."""
        notes: dict[str, str | None] = {LEAVING: None, SIZE: None}
        if route.live is not None and route.live != live:
            notes |= {PREVIOUS: route.live, SWITCHED_AT: now_text()}
        return self._split(self._app.move(route, live, notes), shares(live, 100))

    def prove(self, split: Split, wish: Wish, weights: Mapping[str, int]) -> dict[str, Any]:
        """Slices hold the wished pods, every node has worked that off, and the probe meets the colour that gained."""
        live = wish.to if weights[wish.to] == 100 else split.live
        colours = (live,) if live else COLOURS
        service = self._app.service()
        prover = self._prover_of(service, wish)
        serving = wait_serving(
            self._call, self._client, self._app, families_of(service), colours, {}, wish.narrow_timeout
        )
        ready = {colour: len(serving.members.ready[colour]) for colour in COLOURS}
        since = parse_time(serving.endpoints.written_at) if serving.endpoints.written_at else None
        nodes = prover.nodes({}, since)
        if live:
            return prover.colour(serving.endpoints, nodes, live, ready[other(live)])
        proof = prover.route(serving.endpoints, nodes)
        proof["share"] = round(100 * ready[wish.to] / sum(ready.values()), 1)
        if prover.means.level == "probe" and wish.probe is not None:
            proof["probe"] = prove_by_probe(self._call, wish.probe, wish.expect, 1, wish.outside_timeout, here())
        return proof

    def manual_patch(self, colour: str) -> str:
        """Command that gives ``colour`` all traffic by hand."""
        return self._app.manual_patch(colour)

    def describe(self, split: Split, accepted: tuple[str, ...]) -> tuple[dict[str, Any], list[Hazard]]:
        """Nothing beyond the shares; an autoscaler would change them."""
        names = () if "autoscaler" in accepted or split.live else self._autoscaled()
        text = f"An autoscaler sizes {', '.join(names)} and changes the shares."
        hint = "Remove it until all traffic is on one colour."
        return {}, [Hazard("autoscaler", WARN, text, hint)] if names else []

    def _autoscaled(self) -> tuple[str, ...]:
        names = [f"{self._app.name}-{colour}" for colour in COLOURS]
        return tuple(sorted(read_autoscalers(self._client, self._app.namespace, names)))

    def _colour(self, colour: str) -> Colour:
        return read_colour(self._client, self._app.namespace, self._app.name, colour)

    def _base(self, split: Split, wish: Wish) -> int:
        """Pods that carried all traffic before the first share moved; kept on the Service meanwhile."""
        route = _route_of(split)
        recorded = route.size if route.leaving else 0
        return recorded or max(1, self._colour(split.live or wish.old).wanted)

    def _sizes(self, split: Split, wish: Wish, weight: int) -> Sizes:
        base = self._base(split, wish)
        wished = wish.weight if wish.weight < 100 else weight
        return sizes_for(wished, base, self._most or 2 * base, self._tolerance)

    def _bring(self, colour: str, size: int, wish: Wish) -> None:
        """Give a colour its size and wait until that many pods serve."""
        now = self._colour(colour)
        if now.deployment is not None and now.wanted != size:
            scale(self._call, self._client, now.deployment, size, self._app.token)
        soak = wish.soak if colour == wish.to and now.wanted < size else 0.0
        wait_up(
            self._call,
            self._client,
            self._app,
            colour,
            size,
            soak,
            wish.ready_timeout,
            hopeful=True,
            soaked=wish.soaked,
        )


def _route_of(split: Split) -> Route:
    route = split.seen[_ROUTE]
    if not isinstance(route, Route):
        raise GoliveError("internal", "A split of another driver was given to the replica driver.")
    return route
