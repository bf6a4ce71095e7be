# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a restored copy is proven, from L2 (segments without a hole) to L6 (content), and what is wrong with it.

L3: the engine has fetched all. L4: the server has started and come to its target. L5: every block was read, by a dump,
by amcheck with all heap tuples, and by the checksums of the stopped server. L6: the content is that of what lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_choice import Choice
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_compare import Compared
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_story import Story
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import lsn_number, lsn_text

_BEFORE_FETCHED = ("version", "volume", "space", "engine")
_STEPS = {
    "version": "the backup does not fit the image",
    "volume": "the volume",
    "space": "the volume is too small",
    "engine": "fetching the backup",
    "start": "starting the copy",
    "target": "replaying to the target",
    "segment": "replaying the last segment",
    "login": "handing the copy over",
    "stop": "stopping the copy",
}


@dataclass(frozen=True)
class Judged:
    """``level`` is the highest that was proven; with ``faults`` the copy is not what was asked for."""

    level: int
    faults: list[str]


def judge(story: Story, choice: Choice, compared: Sequence[Compared], silent: Sequence[str]) -> Judged:
    """The level and the faults; ``silent`` are comparisons that gave no answer."""
    failed = story.facts.get("failed")
    if failed:
        why = story.facts.get("why") or "no reason was told"
        reached = 2 if failed in _BEFORE_FETCHED else 3
        return Judged(reached, [f"{_STEPS.get(failed, failed)}: {why}"])
    if not story.whole:
        return Judged(2, ["the Job ended before its last step"])
    if "readwrite" not in story.began:
        return Judged(3, [])
    faults = target_faults(story, choice)
    if faults:
        return Judged(3, faults)
    content = [*silent, *(_unequal(one) for one in compared if not one.equal)]
    if "blocks" not in story.began:
        return Judged(4, content)
    if story.findings:
        return Judged(4, [*story.findings, *content])
    return Judged(6 if compared and not content else 5, content)


def target_faults(story: Story, choice: Choice) -> list[str]:
    """Whether the copy is where it should be; a server that promotes early tells nothing of it itself."""
    told = story.facts.get("reached_lsn") or ""
    if not told:
        return ["the copy does not tell how far it has replayed"]
    faults = []
    if lsn_number(told) < choice.least:
        faults.append(
            f"the copy stopped at {told} and should have come to {lsn_text(choice.least)}: a segment of the archive"
            " between them cannot be read, and what was committed after it is not in the copy"
        )
    last = story.facts.get("last_commit") or ""
    if choice.not_after is not None and last and datetime.fromisoformat(padded(last)) > choice.not_after:
        faults.append(f"the copy holds a commit of {last}, after the time that was asked for")
    return faults


def padded(stamp: str) -> str:
    """A time of PostgreSQL, whose offset may lack its minutes, as ``fromisoformat`` of Python 3.10 takes it."""
    return stamp if stamp[-3] == ":" else f"{stamp}:00"


def _unequal(one: Compared) -> str:
    return f"{one.table} differs (rows|last key|sum of hashes): {one.copy} in the copy, {one.live} in what lives"
