# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the transactions of a copy end, as pg_restore hands it over."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres.commits import Copied, copied_from


def test_what_a_restore_tells_is_read() -> None:
    row = {"next_xid": "4294967299", "undone": ["17", "18"], "timeline": 3}
    assert copied_from(row) == Copied(4294967299, (17, 18), 3)
    assert copied_from({"next_xid": "7", "undone": None, "timeline": None}) == Copied(7)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(GoliveError) as refused:
        copied_from({"next_xid": "7", "undone": ["x"], "timeline": 1})
    assert refused.value.code == "invalid"
