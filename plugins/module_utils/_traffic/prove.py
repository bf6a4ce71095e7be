# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove where the live Service sends: every level that can be had, the strongest names the proof; reference 2.3, R4."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.endpoints import Endpoints
from ansible_collections.golive.cutover.plugins.module_utils._traffic.kube_proxy import Sync
from ansible_collections.golive.cutover.plugins.module_utils._traffic.proof import (
    APART_S,
    LEVELS,
    Means,
    Nodes,
    means_of,
    needed_in_a_row,
    prove_by_probe,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.scene import families_of, keeps_clients
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish


def need_means(client: Client, name: str, service: Mapping[str, Any] | None, wish: Wish) -> Means:
    """What can be proven here. Raises GoliveError ``proof_unavailable`` when that is less than the wish asks."""
    means = means_of(client, families_of(service), wish.no_probe, keeps_clients(service))
    if LEVELS.index(means.level) < LEVELS.index(wish.proof):
        raise GoliveError(
            "proof_unavailable",
            f"Cannot prove a switch of Service {name} at level {wish.proof}: {means.why_not}.",
            "Give a probe with the public address, let this user read nodes/proxy, or weaken require_proof.",
            {"strongest": means.level},
        )
    return means


class Prover:
    """Proofs of one switch."""

    def __init__(self, call: Call, client: Client, families: tuple[str, ...], wish: Wish, means: Means) -> None:
        self._call = call
        self._client = client
        self._families = families
        self._wish = wish
        self.means = means

    def nodes(self, before: Mapping[str, Sync], since: float | None = None, apart: float = APART_S) -> Nodes:
        """The nodes that must work a change off."""
        return Nodes(self._call, self._client, self._families, before, since, apart)

    def route(self, endpoints: Endpoints, nodes: Nodes) -> dict[str, Any]:
        """What slices and nodes show. Raises GoliveError ``proof_failed``."""
        proof: dict[str, Any] = {
            "level": "slice",
            "slice": {"endpoints": len(endpoints.ready_ids()), "slices": endpoints.slices},
        }
        if self.means.syncs:
            proof["node"] = nodes.prove(self._wish.proof_timeout)
            proof["level"] = "node"
        return proof

    def colour(self, endpoints: Endpoints, nodes: Nodes, colour: str, old: int) -> dict[str, Any]:
        """That only ``colour`` answers, where ``old`` endpoints of the other one answered before."""
        proof = self.route(endpoints, nodes)
        wish = self._wish
        expect = wish.expect if colour == wish.to else colour if wish.expect == wish.to else ""
        if self.means.level == "probe" and wish.probe is not None and expect:
            needed = needed_in_a_row(old, len(endpoints.ready_ids()))
            proof["probe"] = prove_by_probe(self._call, wish.probe, expect, needed, wish.proof_timeout, here())
            proof["level"] = "probe"
        return proof


def here() -> str:
    """Where probes come from."""
    return socket.gethostname()
