# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of an app's runs as text: entries that each carry the hash of the one before, bounded in size. Pure.

A line is one entry in JSON. The chain shows that something was changed by hand or cut off; it cannot stop somebody who
may write to the cluster and computes all hashes anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BEGIN, PHASE, FINISH = "begin", "phase", "finish"
# The server takes about 1 MiB of one object, and every entry writes the whole journal anew.
MOST_BYTES = 256 * 1024
MOST_RUNS = 100
MOST_VALUE = 8 * 1024
_SHOWN = 1000


@dataclass(frozen=True)
class Journal:
    """``anchor`` is the hash before the first line, ``head`` that of the last one; both empty in an empty journal."""

    lines: tuple[str, ...] = ()
    anchor: str = ""
    head: str = ""

    def entries(self) -> list[dict[str, Any]]:
        """What can be read of it, oldest first."""
        return [entry for entry in map(_parsed, self.lines) if entry]

    def broken_at(self) -> int | None:
        """Number of the first line, counted from 1, that does not follow from the one before; None when all do.

        One more than there are lines when the last ones are missing.
        """
        before = self.anchor
        for number, line in enumerate(self.lines, 1):
            entry = _parsed(line)
            if not entry or entry.get("prev") != before or entry.get("hash") != _hash(entry):
                return number
            before = str(entry["hash"])
        return None if before == self.head else len(self.lines) + 1

    def with_entry(self, entry: Mapping[str, Any]) -> Journal:
        """The journal with one more entry; the oldest runs go when it would grow too large."""
        linked = {**entry, "prev": self.head}
        linked["hash"] = _hash(linked)
        return _bounded(Journal((*self.lines, _text(linked)), self.anchor, linked["hash"]))

    def as_data(self) -> dict[str, str]:
        """The data of its ConfigMap."""
        return {"anchor": self.anchor, "head": self.head, "entries": "".join(f"{line}\n" for line in self.lines)}


def journal_from(data: Mapping[str, str] | None) -> Journal:
    """What ``as_data`` gave."""
    found = data or {}
    return Journal(tuple(found.get("entries", "").splitlines()), found.get("anchor", ""), found.get("head", ""))


def bounded_value(value: Any) -> Any:
    """``value`` if it is small enough for an entry, else its size, digest and beginning."""
    text = _text(value)
    size = len(text.encode())
    if size <= MOST_VALUE:
        return value
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"truncated": True, "bytes": size, "sha256": digest, "begins": text[:_SHOWN]}


def _bounded(journal: Journal) -> Journal:
    lines = list(journal.lines)
    anchor = journal.anchor
    while len(lines) > 1 and _too_large(lines):
        number = _oldest(lines)
        anchor = str(_parsed(lines[number - 1]).get("hash", ""))
        del lines[:number]
    return Journal(tuple(lines), anchor, journal.head)


def _oldest(lines: Sequence[str]) -> int:
    """How many lines the oldest run has; 1 when there is no other, so that a run that is too large loses its start."""
    first = _run_of(lines[0])
    return next((number for number, line in enumerate(lines) if _run_of(line) != first), 1)


def _too_large(lines: Sequence[str]) -> bool:
    return sum(len(line.encode()) + 1 for line in lines) > MOST_BYTES or len(set(map(_run_of, lines))) > MOST_RUNS


def _run_of(line: str) -> str:
    return str(_parsed(line).get("run"))


def _parsed(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _hash(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text({key: value for key, value in entry.items() if key != "hash"}).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
