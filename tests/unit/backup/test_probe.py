# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probe of a lock means for a run."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.lock_probe import (
    LOCKED,
    PRETENDS,
    UNLOCKED,
    Probed,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.probe import REPORT, REQUIRE, SKIP, refuse_lock
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError


@pytest.mark.parametrize(
    ("state", "wanted", "code"),
    [
        (LOCKED, REPORT, None),
        (LOCKED, REQUIRE, None),
        (UNLOCKED, REPORT, None),
        (UNLOCKED, REQUIRE, "lock_missing"),
        (PRETENDS, REPORT, "lock_pretends"),
        (PRETENDS, REQUIRE, "lock_pretends"),
        (None, SKIP, None),
        # In check mode.
        (None, REQUIRE, None),
    ],
)
def test_what_fails(state: str | None, wanted: str, code: str | None) -> None:
    seen = None
    try:
        refuse_lock(Probed(state, "why") if state else None, wanted)
    except GoliveError as error:
        seen = error.code
    assert seen == code
