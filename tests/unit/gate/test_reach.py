# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read from Secrets shows in nothing that a gate says while it runs."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach


def test_progress_and_warnings_are_masked() -> None:
    said: list[Any] = []

    def show(text: str, done: int | None, total: int | None) -> None:
        said.append((text, done, total))

    with Reach(call_for_tests({}, show=show, warn=said.append)) as reach:
        reach.secrets.add("hush")
        reach.call.progress("nobody is hush", 1, 2)
        reach.call.warn("hush was refused")
    assert said == [("nobody is ********", 1, 2), "******** was refused"]
