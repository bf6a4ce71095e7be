# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When answers show a share, and when they do not."""

from __future__ import annotations

import random

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_proof import (
    Answers,
    binomial_p,
    sample_size,
    shows,
)


def test_the_binomial_test_is_exact() -> None:
    # Known values of the two-sided exact test.
    assert binomial_p(5, 10, 0.5) == pytest.approx(1.0)
    assert binomial_p(0, 10, 0.5) == pytest.approx(2 / 1024)
    assert binomial_p(7, 20, 0.5) == pytest.approx(0.2631760, abs=1e-6)
    assert binomial_p(10, 10, 0.1) == pytest.approx(1e-10)


@pytest.mark.parametrize("share", [1, 5, 25, 50, 90])
def test_a_share_that_is_served_is_shown_and_an_old_one_is_not(share: int) -> None:
    dice = random.Random(7)
    size = sample_size(share)

    def sampled(chance: int) -> Answers:
        new = sum(dice.random() < chance / 100 for unused in range(size))
        return Answers(new, size - new)

    accepted = sum(shows(sampled(share), share, size) for unused in range(500))
    assert accepted >= 480
    assert not any(shows(sampled(0), share, size) for unused in range(100))
    assert not any(shows(sampled(min(100, 6 * share + 40)), share, size) for unused in range(100))


def test_all_or_nothing_takes_every_answer() -> None:
    assert shows(Answers(25, 0), 100, 25)
    assert not shows(Answers(24, 1), 100, 25)
    assert not shows(Answers(24, 0, 1), 100, 25)
    assert shows(Answers(0, 25), 0, 25)
    assert not shows(Answers(1, 24), 0, 25)
