# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares by number of pods: the grain is told, never rounded away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._traffic.replica_plan import Sizes, sizes_for


@pytest.mark.parametrize(
    ("weight", "base", "most", "tolerance", "sizes"),
    [
        (25, 2, 4, 5, Sizes(1, 3)),
        (30, 2, 4, 5, Sizes(1, 2)),
        (50, 2, 4, 5, Sizes(2, 2)),
        (50, 1, 2, 0, Sizes(1, 1)),
        (5, 10, 20, 5, Sizes(1, 10)),
        (5, 10, 20, 0, Sizes(1, 19)),
    ],
)
def test_the_fewest_pods(weight: int, base: int, most: int, tolerance: int, sizes: Sizes) -> None:
    assert sizes_for(weight, base, most, tolerance) == sizes


def test_too_fine_for_the_pods_says_what_can_be_had() -> None:
    with pytest.raises(GoliveError) as caught:
        sizes_for(5, 2, 4, 5)
    assert caught.value.code == "unsupported"
    assert "needs 10 pods; 4 are allowed" in caught.value.message
    assert caught.value.details["shares"] == [25, 33, 50]


@given(weight=st.integers(1, 99), base=st.integers(1, 12), extra=st.integers(1, 30), tolerance=st.integers(0, 20))
def test_what_comes_out_keeps_its_promises(weight: int, base: int, extra: int, tolerance: int) -> None:
    try:
        sizes = sizes_for(weight, base, base + extra, tolerance)
    except GoliveError as error:
        if error.code != "unsupported":
            raise
        return
    assert sizes.old >= base
    assert sizes.new >= 1
    assert sizes.new + sizes.old <= base + extra
    assert abs(100 * sizes.new / (sizes.new + sizes.old) - weight) <= tolerance
