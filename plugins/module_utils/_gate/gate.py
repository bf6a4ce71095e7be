# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask all checks again and again until the gate passes, fails or stays inconclusive; reference section 4."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S, Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.ask_load import LoadRun, merged
from ansible_collections.golive.cutover.plugins.module_utils._gate.checks import Check
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    FAILED,
    LOW_SAMPLE,
    OPEN,
    PASSED,
    Look,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

INCONCLUSIVE = "inconclusive"
_THREADS = 16
_SHOWN = 5


@dataclass(frozen=True)
class Rules:
    """``consecutive`` good looks of every check pass. ``failures`` bad ones in a row of one check fail at once; 0
    waits until ``timeout`` seconds are over. ``extend`` holds the reasons for which an inconclusive gate gets the
    same time once more. A gate whose score, 0 to 100, is below ``min_score`` fails."""

    consecutive: int
    interval: float
    timeout: float
    failures: int = 0
    extend: frozenset[str] = frozenset()
    min_score: float = 0


def rule_faults(params: Mapping[str, Any], checks: Sequence[Check]) -> list[str]:
    """What is wrong with the rules, each with the option's name."""
    faults = [f"{key} must be at least 1" for key in ("consecutive",) if params[key] < 1]
    faults += [f"{key} must not be negative" for key in ("interval", "failures") if params[key] < 0]
    if params["timeout"] <= 0:
        faults.append("timeout must be greater than 0")
    elif (params["consecutive"] - 1) * params["interval"] >= params["timeout"]:
        faults.append(
            f"timeout of {params['timeout']:g} s is too short for {params['consecutive']} looks that are"
            f" {params['interval']:g} s apart"
        )
    faults += [
        f"timeout of {params['timeout']:g} s is too short for the dwell of {check.dwell:g} s of check {check.name!r}"
        for check in checks
        if 0 < params["timeout"] <= check.dwell
    ]
    if not 0 <= params["min_score"] <= 100:
        faults.append("min_score must be from 0 to 100")
    if checks and not any(check.critical for check in checks):
        faults.append("no check is critical: the gate would always pass")
    return faults


@dataclass
class Tally:
    """What became of one check so far."""

    check: Check
    attempts: int = 0
    passed: int = 0
    row: int = 0
    bad: int = 0
    bad_row: int = 0
    unknown: str = ""
    last: Look = field(default_factory=lambda: Look(False, "not asked yet"))
    seconds: list[float] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)

    def add(self, look: Look) -> None:
        """Count one look. One that tells nothing breaks a row of good ones, and is no bad one."""
        self.attempts += 1
        self.last = look
        if look.seconds is not None:
            self.seconds.append(look.seconds)
        if look.ok:
            self.passed += 1
            self.row += 1
            self.bad_row = 0
            return
        self.row = 0
        self.bad_row = 0 if look.reason else self.bad_row + 1
        self.bad += not look.reason
        self.unknown = look.reason or self.unknown
        self.failed[look.seen] = self.failed.get(look.seen, 0) + 1

    def cut_short(self, look: Look, seconds: float) -> bool:
        """Whether a look at the gate's end got less than its own time to be answered, which tells nothing where there
        were looks before it."""
        tells = look.ok or look.verdict == FAILED
        return not tells and self.attempts > 0 and seconds < self.check.options.get("timeout", 0.0)

    def verdict(self, needed: int) -> tuple[str, str]:
        """Verdict of this check if the gate ended now, and the reason when it is inconclusive."""
        if self.last.verdict:
            told = self.last.verdict
            return (INCONCLUSIVE, self.last.reason or LOW_SAMPLE) if told == OPEN else (told, "")
        if self.row >= needed:
            return PASSED, ""
        if self.last.reason:
            return INCONCLUSIVE, self.last.reason
        if self.attempts and not self.bad:
            return INCONCLUSIVE, self.unknown or LOW_SAMPLE
        return FAILED, ""

    def told(self, needed: int) -> bool:
        """Whether later looks are not needed to know what to say of it."""
        if self.last.verdict:
            return self.last.verdict != OPEN
        return self.row >= needed or self.attempts >= needed

    def hopeless(self, failures: int) -> bool:
        """Whether no later look can change that it failed; ``failures`` as in Rules."""
        return self.last.verdict == FAILED or (0 < failures <= self.bad_row)

    def as_dict(self, needed: int) -> dict[str, Any]:
        """As a result carries it."""
        verdict, reason = self.verdict(needed)
        told = sorted(self.failed.items(), key=lambda pair: -pair[1])[:_SHOWN]
        return {
            "name": self.check.name,
            "kind": self.check.kind,
            "critical": self.check.critical,
            "weight": self.check.weight,
            "verdict": verdict,
            "reason": reason or None,
            "attempts": self.attempts,
            "passed": self.passed,
            "in_a_row": self.row,
            "needed": needed,
            "last": {"ok": self.last.ok, "seen": self.last.seen, "values": dict(self.last.values)},
            "latency_ms": _spread(self.seconds),
            "threshold": self.check.threshold,
            "failed": [{"seen": seen, "times": times} for seen, times in told],
        }


def _spread(seconds: Sequence[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    points = {"min": min(seconds), "median": statistics.median(seconds), "max": max(seconds)}
    return {name: round(value * 1000, 2) for name, value in points.items()}


def run_gate(call: Call, reach: Reach, checks: Sequence[Check], rules: Rules) -> dict[str, Any]:
    """The result of a gate that passed. No look waits longer than to the end of the gate's time.

    Raises GoliveError ``gate_failed`` or ``gate_inconclusive`` with the same fields in its details.
    """
    start = call.now()
    end = start + rules.timeout
    reach.until(end)
    extended = False
    tallies = [Tally(check) for check in checks]
    looks = [check.begin(reach) for check in checks]
    with ThreadPoolExecutor(max_workers=min(_THREADS, len(checks))) as pool:
        while True:
            began = call.now()
            jobs = [pool.submit(_timed, call, look) for look in looks]
            for tally, (look, asked, told) in zip(tallies, _ended(call, jobs), strict=True):
                if told < end or not tally.cut_short(look, told - asked):
                    tally.add(look)
            verdict, reasons = _verdict(tallies, rules)
            hopeless = any(tally.hopeless(rules.failures) for tally in tallies if tally.check.critical)
            over = call.now() + rules.interval > end
            if verdict == INCONCLUSIVE and over and rules.extend.intersection(reasons) and not extended:
                extended, over = True, False
                end = call.now() + rules.timeout
                reach.until(end)
            call.progress(_progress(tallies, rules, call.now() - start))
            if over or hopeless or (verdict == PASSED and all(tally.told(rules.consecutive) for tally in tallies)):
                break
            call.pause(max(0.0, began + rules.interval - call.now()))
    score = _score(tallies, rules)
    if hopeless or (verdict == PASSED and score < rules.min_score):
        verdict = FAILED
    result = {
        "verdict": verdict,
        "reasons": reasons,
        "score": score,
        "checks": [tally.as_dict(rules.consecutive) for tally in tallies],
        "seconds": round(call.now() - start, 3),
        "extended": extended,
        **merged(
            [
                (check.name, look.record())
                for check, look in zip(checks, looks, strict=True)
                if isinstance(look, LoadRun)
            ]
        ),
    }
    if result["verdict"] != PASSED:
        raise _stopped(result, tallies, rules)
    for tally in _waits(tallies, rules):
        call.warn(f"A check that is not critical did not pass: {_line(tally, rules)}.")
    return result


def _timed(call: Call, look: Callable[[], Look]) -> tuple[Look, float, float]:
    """The look, when it began, and when it ended."""
    began = call.now()
    return look(), began, call.now()


def _ended(call: Call, jobs: list[Future[tuple[Look, float, float]]]) -> list[tuple[Look, float, float]]:
    left = set(jobs)
    while left:
        call.alive()
        _done, left = wait(left, timeout=TICK_S)
    return [job.result() for job in jobs]


def _verdict(tallies: Sequence[Tally], rules: Rules) -> tuple[str, list[str]]:
    """Any critical check that fails fails the gate; then any inconclusive one makes it so (reference 4.4)."""
    verdicts = [tally.verdict(rules.consecutive) for tally in tallies if tally.check.critical]
    reasons = sorted({reason for _verdict, reason in verdicts if reason})
    kinds = {verdict for verdict, _reason in verdicts}
    return (FAILED if FAILED in kinds else INCONCLUSIVE if INCONCLUSIVE in kinds else PASSED), reasons


def _score(tallies: Sequence[Tally], rules: Rules) -> float:
    """Weight of the checks that passed, in percent of the weight of all."""
    weights = [(tally.check.weight, tally.verdict(rules.consecutive)[0] == PASSED) for tally in tallies]
    whole = sum(weight for weight, _passed in weights)
    return round(100 * sum(weight for weight, passed in weights if passed) / whole, 1) if whole else 100.0


def _progress(tallies: Sequence[Tally], rules: Rules, seconds: float) -> str:
    waits = _waits(tallies, rules)
    told = f"gate, {seconds:.0f} s: {len(tallies) - len(waits)} of {len(tallies)} checks passed"
    if not waits:
        return told
    first = waits[0]
    row = "" if first.last.verdict else f"{first.row} of {rules.consecutive} in a row, "
    return f"{told}; {first.check.name}: {row}{first.last.seen}"


def _waits(tallies: Sequence[Tally], rules: Rules) -> list[Tally]:
    """The checks that have not passed; critical ones first, and of these the failed ones."""
    left = [tally for tally in tallies if tally.verdict(rules.consecutive)[0] != PASSED]
    return sorted(left, key=lambda tally: (not tally.check.critical, tally.verdict(rules.consecutive)[0] != FAILED))


def _stopped(result: dict[str, Any], tallies: Sequence[Tally], rules: Rules) -> GoliveError:
    lines = [_line(tally, rules) for tally in _waits(tallies, rules)[:_SHOWN]]
    if result["score"] < rules.min_score:
        lines.insert(0, f"the score is {result['score']:g} where {rules.min_score:g} is wanted")
    failed = result["verdict"] == FAILED
    word = "failed" if failed else f"is inconclusive ({', '.join(result['reasons'])})"
    return GoliveError(
        "gate_failed" if failed else "gate_inconclusive",
        f"The gate {word} after {result['seconds']:g} s: {'; '.join(lines)}.",
        "Every number is in checks of the result."
        if failed
        else "Make what could not be asked answer, then run again.",
        result,
    )


def _line(tally: Tally, rules: Rules) -> str:
    if tally.last.verdict:
        return f"{tally.check.name}: {tally.last.seen}"
    return (
        f"{tally.check.name}: {tally.last.seen} ({tally.passed} of {tally.attempts} looks were good,"
        f" {tally.row} of {rules.consecutive} in a row)"
    )
