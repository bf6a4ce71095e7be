# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``load``: requests at a steady rate, judged by sequential tests as they come (reference 4.2 and 4.4).

It fails as soon as a test does. It passes when every test does, all pods served, and enough time and requests went by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.ask_http import url_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.ledger import merged_rows
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_options import dwell_of, tests_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_pods import Pods
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_tests import NEW, OLD
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    FAILED,
    INFRA_NOISE,
    LOW_SAMPLE,
    NO_DATA,
    OPEN,
    PASSED,
    PROVIDER_DOWN,
    UNDECIDED,
    Look,
    of_way,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import FRESH, Answer, Prober, Target
from ansible_collections.golive.cutover.plugins.module_utils._gate.ranks import compare_values
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._gate.relative import WORSE, compare_shares
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import corrected_alpha
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address

_LEAST_PER_POD = 30
_COUNT_EVERY_S = 1.0
# Beyond this share of late requests the times tell about this machine.
_MOST_LATE = 0.1
_LOST_WITHIN_S = 3.0
# After so many seconds of latency that follows itself too closely, its ranks are given up.
_MOST_COMPARED_S = 60.0
# A slower median of the seconds' 95th percentile that nobody notices is no reason to stop a release.
_LEAST_SHIFT_S = 0.05


def begin(check: Mapping[str, Any], reach: Reach) -> Callable[[], Look]:
    """Start the load with the first look; the looks after it tell what came of it so far."""
    return LoadRun(check, reach)


@dataclass
class _Side:
    """One release under load."""

    prober: Prober
    address: Address | None


class LoadRun:
    """One gate's load on one target, and beside it on the old release when that is compared."""

    def __init__(self, check: Mapping[str, Any], reach: Reach) -> None:
        self._check = check
        self._options = check["load"]
        self._reach = reach
        self._tests = tests_of(check)
        self._stack = ExitStack()
        self._sides: dict[str, _Side] = {}
        self._pods: Pods | None = None
        self._start = 0.0
        self._counted = 0.0
        self._answered = self._below_400 = 0
        self._trouble: GoliveError | None = None
        self._lost = 0
        self._lost_at = 0.0
        self._beside_old: dict[str, dict[str, Any]] | None = None

    def __call__(self) -> Look:
        try:
            self._open()
        except GoliveError as error:
            look = of_way(error)
            return replace(look, verdict=OPEN if look.reason else "")
        doubt = self._look_at_pods()
        now = time.monotonic()
        if not self._options["after_shift"] or now - self._counted >= _COUNT_EVERY_S:
            self._counted = now
            for test in self._tests:
                test.count()
        reason, seen, verdict = self._judged(now, doubt)
        return Look(verdict == PASSED, seen, None, self._values(now), reason, verdict)

    def close(self) -> None:
        """End the load; what was counted stays."""
        self._stack.close()

    def record(self) -> dict[str, Any]:
        """``ledger`` by stream, ``series`` objects and ``downtime_ms`` of all that was sent."""
        self.close()
        ledger = {
            stream if side == NEW else f"{side} {stream}": row
            for side, one in self._sides.items()
            for stream, row in one.prober.ledger().items()
        }
        new = self._sides.get(NEW)
        return {
            "ledger": ledger,
            "series": [one.prober.counted for one in self._sides.values()],
            "downtime_ms": new.prober.downtime_ms() if new else None,
        }

    def _open(self) -> None:
        if self._sides:
            return
        check, options = self._check, self._options
        watched = options["pods"] or check["tunnel"]
        if watched and watched.get("service"):
            self._pods = Pods(self._reach.client(), watched["namespace"], watched["service"])
            self._pods.look()
        address = self._reach.address(check["name"], check["tunnel"])
        targets = {NEW: (self._target(url_of(check), address), address)}
        old = options["compare"]
        if old is not None:
            there = self._reach.address(f"{check['name']} (old)", old["tunnel"])
            url = url_of({**check, "url": old["url"], "tunnel": old["tunnel"], "path": check["path"] or "/"})
            targets[OLD] = (self._target(url, there), there)
        self._start = self._counted = time.monotonic()
        # Tunnels are open already, so the load ends before them.
        self._reach.on_close(self.close)
        for side, (target, where) in targets.items():
            prober = Prober(target, options["rate"] / 2, self._hearing(side, where), self._reach.limit)
            self._sides[side] = _Side(self._stack.enter_context(prober), where)

    def _look_at_pods(self) -> str:
        """Why the pods cannot be seen now; that does not keep the load from failing a release."""
        try:
            if self._pods is not None:
                self._pods.look()
        except GoliveError as error:
            return error.message
        return ""

    def _target(self, url: str, address: Address | None) -> Target:
        check = self._check
        return Target(
            url=url,
            header=self._options["header"],
            timeout=check["timeout"],
            method=check["method"],
            headers=dict(check["headers"]),
            address=(address[0], address[1]) if address else None,
            validate_certs=check["validate_certs"],
            ca_cert=check["ca_cert"],
            pod_header=self._options["pod_header"],
        )

    def _hearing(self, side: str, address: Address | None) -> Callable[[str, Answer], None]:
        wanted = self._check["status"]

        def hear(stream: str, answer: Answer) -> None:
            if side == NEW and answer.status is not None:
                self._answered += 1
                self._below_400 += answer.status < 400
            good = answer.status in wanted if wanted else answer.good
            if not good and answer.status is None and self._way_broken(address):
                self._lost += 1
                return
            # A new connection through a tunnel takes the time of the API, not of the release.
            untimed = address is not None and stream == FRESH
            for test in self._tests:
                if test.slower_than is None or not untimed:
                    test.hear(side, stream, answer, good)

        return hear

    def _way_broken(self, address: Address | None) -> bool:
        """Whether a request failed because of the way to the cluster, which says nothing about the release."""
        trouble = (address.stuck(self._check["timeout"] / 2) or address.trouble) if address else None
        if trouble is not None and trouble is not self._trouble:
            self._trouble = trouble
            if of_way(trouble).reason:
                self._lost_at = time.monotonic()
        return time.monotonic() - self._lost_at < _LOST_WITHIN_S

    def _judged(self, now: float, doubt: str) -> tuple[str, str, str]:
        """Reason, what was seen, and verdict."""
        outcomes = {test.outcome(now): test for test in self._tests}
        late = self._late()
        if FAILED in outcomes:
            test = outcomes[FAILED]
            if test.slower_than is not None and late > _MOST_LATE:
                return INFRA_NOISE, f"{late:.0%} of the requests were sent late: this machine is too busy", OPEN
            return "", test.blame, FAILED
        if self._pods is not None and self._pods.restarted:
            return "", f"{', '.join(self._pods.restarted)} restarted under load", FAILED
        if now - self._lost_at < _LOST_WITHIN_S and self._trouble is not None:
            return PROVIDER_DOWN, self._trouble.message, OPEN
        if doubt:
            return PROVIDER_DOWN, doubt, OPEN
        for reason, words in ((INFRA_NOISE, "the old release is bad as well"), (UNDECIDED, "neither good nor bad")):
            if reason in outcomes:
                return reason, f"{outcomes[reason].told}, {words}", OPEN
        if self._answered and not self._below_400:
            return NO_DATA, "every answer has a status of 400 or more, which tells nothing about the release", OPEN
        missing = self._missing(now, [test.name for test in self._tests if test.outcome(now) != PASSED])
        if missing:
            return LOW_SAMPLE, f"{self._tests[0].told}; waits for {', '.join(missing)}", OPEN
        if OLD in self._sides:
            if not self._compared(now):
                return LOW_SAMPLE, f"{self._tests[0].told}; waits for more seconds beside the old release", OPEN
            worse = self._worse_than_old()
            if worse:
                return "", worse, FAILED
        return "", "; ".join(test.told for test in self._tests), PASSED

    def _missing(self, now: float, tests: list[str]) -> list[str]:
        found = []
        dwell = max(dwell_of(self._check), self._pods.liveness if self._pods else 0.0)
        if now - self._start < dwell:
            found.append(f"{now - self._start:.0f} of {dwell:g} s")
        sent = self._sent()
        if self._pods is not None:
            if not self._pods.names:
                found.append("a ready pod")
            least = _LEAST_PER_POD * len(self._pods.names)
            if sent < least:
                found.append(f"{sent} of {least} requests")
            served = self._served()
            idle = [name for name in self._pods.names if served and name not in served]
            found += [f"an answer of pod {name}" for name in idle]
        return found + tests

    def _compared(self, now: float) -> bool:
        """Whether the one planned look beside the old release was taken; it waits for values enough to tell."""
        if self._beside_old is None:
            alpha = corrected_alpha(self._options["alpha"], self._check["tests"])
            latency = compare_values(*self._latencies(), alpha=alpha)
            if latency["verdict"] is None and now - self._start < _MOST_COMPARED_S:
                return False
            self._beside_old = {"errors": compare_shares(*self._tests[0].beside_old, alpha), "latency": latency}
        return True

    def _worse_than_old(self) -> str:
        """What was wrong beside the old release; empty when nothing was."""
        found = self._beside_old or {}
        errors, latency = found["errors"], found["latency"]
        new, (bad, total) = self._tests[0], errors["old"]
        if errors["verdict"] == WORSE and errors["new"][0] > new.new.p0 * errors["new"][1]:
            return f"{new.told}, the old release {bad} of {total}"
        if latency["verdict"] != FAILED or latency["shift"][0] < _LEAST_SHIFT_S * 1000:
            return ""
        return f"slower than the old release: 95 % of a second's answers take {latency['shift'][0]:.0f} ms longer"

    def _latencies(self) -> tuple[list[float], list[float]]:
        """Milliseconds that 95 % of a second's answers took, of new and old in the same seconds."""
        rows = {
            side: {row["t"]: row["p95_ms"] for row in one.prober.series() if row["p95_ms"] is not None}
            for side, one in self._sides.items()
        }
        # The first and the last second are not whole.
        both = sorted(rows[NEW].keys() & rows[OLD].keys())[1:-1]
        return [rows[NEW][second] for second in both], [rows[OLD][second] for second in both]

    def _sent(self) -> int:
        return self._tests[0].new.total

    def _late(self) -> float:
        rows = [row for one in self._sides.values() for row in one.prober.ledger().values()]
        sent = sum(row["sent"] for row in rows)
        return sum(row["late"] for row in rows) / sent if sent else 0.0

    def _served(self) -> dict[str, int]:
        """Answers by pod; empty when answers do not name their pod."""
        found: dict[str, int] = {}
        for row in self._sides[NEW].prober.ledger().values():
            for name, counts in row["by_pod"].items():
                found[name] = found.get(name, 0) + counts["ok"] + counts["failed"]
        return found

    def _values(self, now: float) -> dict[str, Any]:
        pods = self._pods
        return {
            "requests": self._sent(),
            "seconds": round(now - self._start, 1),
            "tests": [test.as_dict() for test in self._tests],
            "late": round(self._late(), 4),
            "lost": self._lost,
            "pods": {"ready": len(pods.names), "restarted": pods.restarted, "served": self._served() or None}
            if pods
            else None,
            "beside_old": self._beside_old,
        }


def merged(records: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """``ledger``, ``series`` and ``downtime_ms`` of all load checks of a gate, given by name."""
    if not records:
        return {"ledger": None, "series": [], "downtime_ms": None}
    several = len(records) > 1
    downtimes = [record["downtime_ms"] for _name, record in records if record["downtime_ms"] is not None]
    return {
        "ledger": {
            f"{name}: {stream}" if several else stream: row
            for name, record in records
            for stream, row in record["ledger"].items()
        },
        "series": merged_rows([series for _name, record in records for series in record["series"]]),
        "downtime_ms": max(downtimes, default=None),
    }
