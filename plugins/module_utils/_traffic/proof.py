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


class Nodes:
    """The kube-proxies of all nodes and whether they have worked a change off, on two reads ``apart`` seconds.

    ``before`` was read before the change, else ``since`` is its time (epoch); see ``behind``.
    """

    def __init__(
        self,
        call: Call,
        client: Client,
        families: tuple[str, ...],
        before: Mapping[str, Sync],
        since: float | None = None,
        apart: float = APART_S,
    ) -> None:
        self._call = call
        self._client = client
        self._families = families
        self._before = before
        self._since = since
        self._apart = apart
        self._quiet_since: float | None = None

    def begin(self) -> None:
        """Read them while something else is waited for anyway, until all have worked it off once."""
        if self._quiet_since is None:
            self._read()

    def prove(self, timeout: float) -> dict[str, Any]:
        """Wait for the second read; returns the numbers. Raises GoliveError ``proof_failed`` with the nodes behind."""
        start = self._call.now()
        lagging: dict[str, str] = {}

        def look() -> Done[int] | Failed | Pending:
            nonlocal lagging
            nodes, lagging = self._read()
            if lagging:
                return Pending("; ".join(f"node {node}: {reason}" for node, reason in sorted(lagging.items())[:3]))
            if self._quiet_since is not None and self._call.now() - self._quiet_since >= self._apart:
                return Done(nodes)
            return Pending(f"{nodes} nodes in sync, reading once more")

        try:
            nodes = wait_for(self._call, look, what="kube-proxy of every node", timeout=timeout, interval=0.5)
        except GoliveError as error:
            if error.code != "timeout":
                raise
            hint = "Look at kube-proxy on these nodes."
            raise GoliveError("proof_failed", error.message, hint, {"nodes_behind": lagging}) from error
        return {"nodes": nodes, "seconds": round(self._call.now() - start, 3)}

    def _read(self) -> tuple[int, dict[str, str]]:
        """How many there are, and those behind with the reason."""
        syncs = read_syncs(self._client, self._families)
        gone = {node: "it cannot be read any more" for node in self._before if node not in syncs}
        lagging = {**gone, **behind(self._before, syncs, self._since)}
        if lagging:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = self._call.now()
        return len(syncs), lagging


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
