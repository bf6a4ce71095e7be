# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that the data plane follows the Service: levels slice, node and probe; reference section 2.3, R4."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Answer, Target, ask_fresh
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.kube_proxy import Sync, behind, read_syncs

LEVELS = ("slice", "node", "probe")
DOUBT = 0.001
APART_S = 1.0
_BATCH = 25
_MOST_NEEDED = 1000


def needed_in_a_row(old: int, new: int) -> int:
    """Fresh connections in a row that must reach new: K = ⌈ln ε / ln(1 − f)⌉, ε = 0.001, f = old / (old + new).

    f is the share a stale node would still send to old. Without old endpoints there is nothing stale to find: 1.
    """
    if old <= 0:
        return 1
    if new <= 0:
        return _MOST_NEEDED
    # The tolerance keeps an exact quotient from being rounded up by the last bit.
    return min(_MOST_NEEDED, max(1, math.ceil(math.log(DOUBT) / math.log(1 - old / (old + new)) - 1e-9)))


@dataclass(frozen=True)
class Means:
    """What can be proven here. ``why_not`` says why levels above ``level`` cannot."""

    level: str
    why_not: str
    syncs: Mapping[str, Sync]


def means_of(client: Client, families: tuple[str, ...], no_probe: str, affinity: bool) -> Means:
    """The strongest level there is; reads the nodes' state too. ``no_probe`` says why a probe proves nothing."""
    syncs = read_syncs(client, families)
    blind = [f"node {node}: {sync.trouble}" for node, sync in syncs.items() if sync.trouble]
    usable = {} if blind else syncs
    reasons = []
    if not usable:
        reasons.append("kube-proxy cannot be read (" + ("; ".join(blind) or "nodes may not be listed") + ")")
    if not no_probe and not affinity:
        return Means("probe", "", usable)
    reasons.append(no_probe or "the Service keeps clients on their pod")
    return Means("node" if usable else "slice", "; ".join(reasons), usable)


def prove_nodes(
    call: Call,
    client: Client,
    families: tuple[str, ...],
    before: Mapping[str, Sync],
    since: float | None,
    timeout: float,
    apart: float,
) -> dict[str, Any]:
    """Wait until the kube-proxy of every node has synced on two reads ``apart`` seconds; returns the numbers.

    Raises GoliveError ``proof_failed`` with the nodes that have not.
    """
    quiet_since: float | None = None
    start = call.now()
    lagging: dict[str, str] = {}

    def look() -> Done[int] | Failed | Pending:
        nonlocal quiet_since, lagging
        syncs = read_syncs(client, families)
        gone = {node: "it cannot be read any more" for node in before if node not in syncs}
        lagging = {**gone, **behind(before, syncs, since)}
        if lagging:
            quiet_since = None
            return Pending("; ".join(f"node {node}: {reason}" for node, reason in sorted(lagging.items())[:3]))
        quiet_since = call.now() if quiet_since is None else quiet_since
        if call.now() - quiet_since >= apart:
            return Done(len(syncs))
        return Pending(f"{len(syncs)} nodes in sync, reading once more")

    try:
        nodes = wait_for(call, look, what="kube-proxy of every node", timeout=timeout, interval=0.5)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        hint = "Look at kube-proxy on these nodes."
        raise GoliveError("proof_failed", error.message, hint, {"nodes_behind": lagging}) from error
    return {"nodes": nodes, "seconds": round(call.now() - start, 3)}


def told(answer: Answer, probe: Target) -> str:
    """What came instead of an answer that proves something."""
    if answer.status is None:
        return answer.cause
    said = f"status {answer.status}, {probe.header}: {answer.identity}"
    return said if answer.accepted else f"{said}; only a status below 400 counts"


def probe_hint(probe: Target, way: str = "to this Service") -> str:
    """What to look at when the probe proves nothing; ``way`` is where its address should lead."""
    return (
        f"Check that {probe.url} leads {way} and answers with a status below 400, and that the app names its"
        f" colour in {probe.header}."
    )


def prove_by_probe(call: Call, probe: Target, expect: str, needed: int, timeout: float, where: str) -> dict[str, Any]:
    """Ask on fresh connections until ``needed`` answers in a row carry ``expect``; returns the numbers.

    Raises GoliveError ``proof_failed`` with what was answered instead.
    """
    start = call.now()
    asked = row = 0
    last = ""

    def look() -> Done[int] | Failed | Pending:
        nonlocal asked, row, last
        for _probe in range(_BATCH):
            call.alive()
            answer = ask_fresh(probe)
            asked += 1
            if answer.accepted and answer.identity == expect:
                row += 1
                if row >= needed:
                    return Done(asked)
                continue
            row = 0
            last = told(answer, probe)
            break
        return Pending(f"{row} of {needed} answers in a row from {expect}" + (f"; last other: {last}" if last else ""))

    try:
        wait_for(call, look, what=f"answers of {expect}", timeout=timeout, interval=0.05)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        details = {"asked": asked, "needed": needed, "last_other": last}
        raise GoliveError("proof_failed", error.message, probe_hint(probe), details) from error
    return {"asked": asked, "in_a_row": needed, "from": where, "seconds": round(call.now() - start, 3)}
