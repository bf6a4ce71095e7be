# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of a pooler leaves the server room for everybody else, also while its pods are replaced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._postgres.pool_size import ASKING, pool_size


@pytest.mark.parametrize(("connections", "pods", "size"), [(51, 2, 10), (102, 2, 24), (400, 3, 77), (20, 1, 4)])
def test_known(connections: int, pods: int, size: int) -> None:
    assert pool_size(connections, pods) == size


@given(st.integers(20, 5000), st.integers(1, 20))
def test_all_pods_together_stay_below_the_alert(connections: int, pods: int) -> None:
    try:
        size = pool_size(connections, pods)
    except ValueError:
        assert 0.8 * (connections - 3) / (pods + 1) < ASKING + 1
        return
    assert size >= 1
    assert (pods + 1) * (size + ASKING) <= 0.8 * (connections - 3)


def test_too_many_pods() -> None:
    with pytest.raises(ValueError, match="30 pods of a pooler are too many"):
        pool_size(51, 30)
