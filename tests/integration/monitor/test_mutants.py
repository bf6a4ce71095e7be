# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many small faults in the rules the tests of the rules notice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.integration.monitor.case import Rule, rule_of, rules_of
from tests.integration.monitor.mutants import mutants
from tests.integration.monitor.promtool import CASES, RECORDED, run, write_case, write_record
from tests.integration.prometheus import promtool

GOAL = 0.95
# Chance may draw more of those that no test can notice.
SAMPLE, GOAL_OF_SAMPLE = 40, 0.9


@dataclass(frozen=True)
class Mutant:
    """A rule with one fault, and the tests of that rule."""

    name: str
    rule: Rule
    cases: tuple[int, ...]
    recorded: bool

    def files(self, folder: Path, number: int) -> list[Path]:
        """The tests of the rule, with the fault in it."""
        if self.recorded:
            return [write_record(folder, f"{number}-{one}", RECORDED[one], self.rule) for one in self.cases]
        return [write_case(folder, f"{number}-{one}", CASES[one], self.rule) for one in self.cases]


def _all() -> Iterator[Mutant]:
    alerts: dict[tuple[str, ...], list[int]] = {}
    for number, case in enumerate(CASES):
        alerts.setdefault((case.alert, case.fault, str(case.settings)), []).append(number)
    for (name, *_more), numbers in alerts.items():
        for what, rule in mutants(rule_of(CASES[numbers[0]])):
            yield Mutant(f"{name} {what}", rule, tuple(numbers), False)
    records: dict[tuple[str, str], list[int]] = {}
    for number, recorded in enumerate(RECORDED):
        records.setdefault((recorded.record, str(recorded.settings)), []).append(number)
    for (name, _settings), numbers in records.items():
        own, *_same = [rule for rule in rules_of(RECORDED[numbers[0]].settings) if rule.get("record") == name]
        for what, rule in mutants(own):
            yield Mutant(f"{name} {what}", rule, tuple(numbers), True)


def _survivors(found: list[Mutant], folder: Path) -> list[str]:
    program = promtool()

    def survives(numbered: tuple[int, Mutant]) -> bool:
        number, mutant = numbered
        own = folder / str(number)
        own.mkdir()
        return run(program, mutant.files(own, number)).returncode == 0

    with ThreadPoolExecutor(2) as pool:
        return [mutant.name for mutant, alive in zip(found, pool.map(survives, enumerate(found)), strict=True) if alive]


def _judge(found: list[Mutant], folder: Path, goal: float) -> None:
    left = _survivors(found, folder)
    score = 1 - len(left) / len(found)
    print(f"{len(found) - len(left)} of {len(found)} faults were noticed ({score:.1%}); left:", *left, sep="\n  ")
    assert score >= goal, left


def test_the_tests_notice_a_sample_of_faults(tmp_path: Path) -> None:
    _judge(Random(8).sample(list(_all()), SAMPLE), tmp_path, GOAL_OF_SAMPLE)


@pytest.mark.series
def test_the_tests_notice_nearly_every_fault(tmp_path: Path) -> None:
    _judge(list(_all()), tmp_path, GOAL)
