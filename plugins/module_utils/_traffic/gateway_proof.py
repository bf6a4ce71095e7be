# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that proxies follow a route: conditions of its newest generation, then what answers show; reference 2.5.

Conditions are necessary and prove nothing: proxies were seen to serve old weights for seconds while status was
current, and the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Target, ask_fresh
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_route import Fault
from ansible_collections.golive.cutover.plugins.module_utils._traffic.proof import (
    DOUBT,
    needed_in_a_row,
    probe_hint,
    told,
)

_LOOK_S = 0.1
_BATCH = 25
_FEWEST, _MOST = 100, 400
# A gateway's number of proxies is not known; this finds one stale proxy of four with a doubt of 0.001.
_STALE, _FOLLOWING = 1, 3


def wait_conditions(call: Call, faults: Callable[[], list[Fault]], timeout: float) -> float:
    """Wait until every parent has judged the newest generation; returns seconds.

    Raises GoliveError with the code of the fault when that judgement is bad, ``route_pending`` when none came.
    """
    start = call.now()
    seen: list[Fault] = []

    def look() -> Done[float] | Failed | Pending:
        nonlocal seen
        seen = faults()
        judged = [fault for fault in seen if fault.code != "route_pending"]
        if judged:
            return Failed(refusal(judged[0]))
        return Pending(seen[0].message) if seen else Done(round(call.now() - start, 3))

    try:
        return wait_for(call, look, what="the route's conditions", timeout=timeout, interval=_LOOK_S)
    except GoliveError as error:
        if error.code != "timeout" or not seen:
            raise
        raise refusal(seen[0], timeout) from error


_HINTS = {
    "route_pending": "Look at the Gateway's controller: it does not work off changes of routes.",
    "route_rejected": "Look at the parentRefs of the route and at the listeners and allowedRoutes of the Gateway.",
    "route_unresolved": "Look at the backends: Services, their ports, and ReferenceGrants for other namespaces.",
    "route_partial": "Correct the rules that the controller left out.",
}


def refusal(fault: Fault, waited: float | None = None) -> GoliveError:
    """The error for a fault of the route's conditions."""
    after = f" after {waited:g} s" if waited is not None else ""
    return GoliveError(fault.code, f"The route is not in force{after}: {fault.message}.", _HINTS[fault.code])


@dataclass
class Answers:
    """Counts of fresh requests: answers of new, good ones of anybody else, and those without a good answer.

    ``last_bad`` is what came instead of the last of these.
    """

    new: int = 0
    other: int = 0
    bad: int = 0
    last_bad: str = ""

    @property
    def asked(self) -> int:
        """All of them."""
        return self.new + self.other + self.bad

    def as_dict(self) -> dict[str, int]:
        """As a proof carries it."""
        return {"asked": self.asked, "new": self.new, "other": self.other, "failed": self.bad}


def prove_share(call: Call, probe: Target, expect: str, share: int, timeout: float) -> dict[str, Any]:
    """Wait until the answers show ``share`` percent from ``expect``; returns counts and seconds.

    0 and 100: enough good answers in a row. Between: one answer of new first, then a sample whose share an exact
    binomial test at 0.001 does not reject. Raises GoliveError ``proof_failed`` with what was answered instead.
    """
    start = call.now()
    needed = needed_in_a_row(_STALE, _FOLLOWING) if share in (0, 100) else sample_size(share)
    found = Answers()

    def look() -> Done[Answers] | Failed | Pending:
        nonlocal found
        found = _sample(call, probe, expect, needed, stop=lambda answers: _wrong(answers, share))
        return Done(found) if shows(found, share, needed) else Pending(_told(found, share, expect))

    what = f"{share} % of answers from {expect}"
    try:
        wait_for(call, look, what=what, timeout=timeout, interval=_LOOK_S)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        details = {**found.as_dict(), "needed": needed}
        raise GoliveError("proof_failed", error.message, probe_hint(probe, "through this route"), details) from error
    return {**found.as_dict(), "seconds": round(call.now() - start, 3)}


def find_new(call: Call, probe: Target, expect: str, timeout: float) -> dict[str, Any]:
    """Wait for one good answer of ``expect``, asking as fast as answers come: at 1 percent it takes about a hundred.

    Raises GoliveError ``proof_failed``.
    """
    start = call.now()
    total = Answers()

    def look() -> Done[Answers] | Failed | Pending:
        batch = _sample(call, probe, expect, _MOST, stop=lambda answers: answers.new > 0 or answers.bad >= _BATCH)
        total.new, total.other, total.bad = total.new + batch.new, total.other + batch.other, total.bad + batch.bad
        total.last_bad = batch.last_bad or total.last_bad
        return Done(total) if batch.new else Pending(_told(total, 1, expect))

    try:
        wait_for(call, look, what=f"a first answer of {expect}", timeout=timeout, interval=_LOOK_S)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        hint = (
            "Check that the rule matches what the probe asks for, that no other rule or route takes it first, and that"
            f" {probe.url} answers with a status below 400."
        )
        raise GoliveError("proof_failed", error.message, hint, total.as_dict()) from error
    return {**total.as_dict(), "seconds": round(call.now() - start, 3)}


def _wrong(answers: Answers, share: int) -> bool:
    """Whether a sample is decided before it is full: one wrong answer ends a row of equal ones."""
    if share == 100:
        return answers.other + answers.bad > 0
    return share == 0 and answers.new + answers.bad > 0


def _sample(call: Call, probe: Target, expect: str, size: int, stop: Callable[[Answers], bool]) -> Answers:
    found = Answers()
    while found.asked < size and not stop(found):
        call.alive()
        answer = ask_fresh(probe)
        if not answer.accepted:
            found.bad += 1
            found.last_bad = told(answer, probe)
        elif answer.identity == expect:
            found.new += 1
        else:
            found.other += 1
    return found


def _told(found: Answers, share: int, expect: str) -> str:
    bad = f"{found.bad} failed, the last with {found.last_bad}" if found.bad else "none failed"
    return f"{found.new} of {found.asked} answers from {expect} where {share} % are due, {bad}"


def sample_size(share: int) -> int:
    """Requests that show a share: about ten of the rarer colour, from 100 to 400."""
    rarer = min(share, 100 - share) / 100
    return min(_MOST, max(_FEWEST, math.ceil(10 / rarer)))


def shows(found: Answers, share: int, needed: int) -> bool:
    """Whether the sample fits the share."""
    good = found.new + found.other
    if share in (0, 100):
        return good == needed and found.new == (needed if share == 100 else 0)
    return good > 0 and found.new > 0 and binomial_p(found.new, good, share / 100) >= DOUBT


def binomial_p(hits: int, tries: int, chance: float) -> float:
    """Exact two-sided binomial test: probability of a count at most as likely as ``hits``."""
    odds = [_log_odds(count, tries, chance) for count in range(tries + 1)]
    # The tolerance keeps the mirrored count from being left out by the last bit.
    return min(1.0, sum(math.exp(value) for value in odds if value <= odds[hits] + 1e-7))


def _log_odds(hits: int, tries: int, chance: float) -> float:
    ways = math.lgamma(tries + 1) - math.lgamma(hits + 1) - math.lgamma(tries - hits + 1)
    return ways + hits * math.log(chance) + (tries - hits) * math.log(1 - chance)
