# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule that the files alone decide finds what is unsafe and keeps silent about what is safe."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import INFO, RULES
from tests.bench.lint.corpus import Case, cases

# What only a database can tell, what is only asked for (style), and what is about pairs of files.
ELSEWHERE = {
    "invalid-index-kept",
    "constraint-broken-by-data",
    "retype-column-safe",
    "down-missing-or-destructive",
    *(rule for rule in RULES if rule.startswith("style-")),
}


@pytest.mark.parametrize("case", cases("unsafe"), ids=lambda case: case.name)
def test_unsafe(case: Case) -> None:
    assert case.expected in RULES
    found = case.findings()
    assert case.expected in {one.id for one in found}, [one.message for one in found]


@pytest.mark.parametrize("case", cases("safe"), ids=lambda case: case.name)
def test_safe(case: Case) -> None:
    assert [one.message for one in case.findings() if one.severity != INFO] == []


def test_every_rule_has_an_unsafe_and_a_safe_case() -> None:
    unsafe = {case.expected for case in cases("unsafe")}
    assert unsafe == RULES.keys() - ELSEWHERE
    safe = {case.name.rpartition("-")[0] for case in cases("safe")}
    assert unsafe <= safe, unsafe - safe
