# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two snapshots of a catalogue side by side."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._migrate.catalogue import Snapshot

LINES = [f"table public.t{at:02}: owner shop\n" for at in range(30)]
BEFORE = Snapshot("".join(LINES))
AFTER = Snapshot("".join([*LINES[:10], "table public.t09b: owner shop\n", *LINES[10:25], *LINES[26:]]))


def test_a_diff_has_what_came_and_went_and_little_around_it() -> None:
    assert BEFORE.diff(BEFORE) == []
    lines = BEFORE.diff(AFTER)
    assert [one for one in lines if one[0] in "+-"] == ["+" + "table public.t09b: owner shop", "-" + LINES[25].strip()]
    assert len(lines) == 2 + 2 + 2 * 6


def test_the_parts_are_the_same_lines_as_two_texts() -> None:
    assert BEFORE.parts(BEFORE) == ("", "")
    before, after = BEFORE.parts(AFTER)
    assert set(after.splitlines()) - set(before.splitlines()) == {"table public.t09b: owner shop"}
    assert set(before.splitlines()) - set(after.splitlines()) == {LINES[25].strip()}
    assert len(before.splitlines()) == 6 + 7


def test_the_digest_is_of_the_text() -> None:
    assert BEFORE.digest == Snapshot(BEFORE.text).digest != AFTER.digest
    assert len(BEFORE.digest) == 64
