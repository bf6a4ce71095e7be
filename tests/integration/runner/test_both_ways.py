# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways to run a verb give the same result, and the operator reads the same."""

from __future__ import annotations

import pytest

from tests.both_ways.harness import Ran, comparable, printed
from tests.integration.runner.cases import CASES, MASKING, NESTED_SECRET, SECRET


@pytest.mark.parametrize("case", CASES)
def test_same_events(both: tuple[Ran, Ran], case: str) -> None:
    inside, module = both
    assert inside.of(case), inside.out
    assert comparable(inside.of(case)) == comparable(module.of(case))


def test_same_output_and_exit_code(both: tuple[Ran, Ran]) -> None:
    inside, module = both
    assert printed(inside) == printed(module)
    assert inside.code == module.code == 0


def test_no_secret_is_shown_or_returned(both: tuple[Ran, Ran]) -> None:
    for ran in both:
        assert SECRET not in ran.out
        assert NESTED_SECRET not in ran.out
        assert not [one["task"] for one in ran.events if one["task"] in MASKING and SECRET in _text(one)]


def _text(event: object) -> str:
    return str(event)
