# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log of a restore's Job tells: its phases with their seconds, what the copy answered, and what was found."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

_MARK = "golive "
# The last phase tells only that all of them were gone through.
PHASES = ("fetch", "start", "replay", "readwrite", "blocks", "end")


@dataclass
class Story:
    """``began`` holds seconds since the machine started by phase; ``facts`` are texts by name."""

    began: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether the script came to its end; anything less is no proof."""
        return "end" in self.began

    def seconds(self) -> dict[str, float]:
        """How long each phase took that another one followed."""
        rows = [(name, self.began[name]) for name in PHASES if name in self.began]
        return {name: round(after - at, 2) for (name, at), (_next, after) in itertools.pairwise(rows)}

    def since_fetch(self, phase: str) -> float | None:
        """Seconds from the begin of fetching to the begin of ``phase``; None when it was not come to."""
        if phase not in self.began or "fetch" not in self.began:
            return None
        return round(self.began[phase] - self.began["fetch"], 2)


def read_story(lines: Sequence[str]) -> Story:
    """The story in the lines of a log; lines of others are passed over, and so is a line that was cut."""
    story = Story()
    for line in lines:
        parts = line.removeprefix(_MARK).split(" ") if line.startswith(_MARK) else []
        if len(parts) != 3:
            continue
        try:
            at, value = float(parts[0]), base64.b64decode(parts[2], validate=True).decode("utf-8", "replace")
        except (ValueError, binascii.Error):
            continue
        _note(story, at, parts[1], value)
    return story


def _note(story: Story, at: float, name: str, value: str) -> None:
    if name == "phase":
        story.began.setdefault(value, at)
    elif name == "finding":
        story.findings.append(value)
    else:
        story.facts[name] = value
