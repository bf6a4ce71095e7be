# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``pgbackrest verify --output=text --verbose`` tells: its exit code is 0 whatever it has found (executed).

The text is not documented as stable. So what is not understood counts as unknown, never as good. It misses a deleted
segment of WAL, which our own listing finds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

GOOD, BAD, UNKNOWN = "good", "bad", "unknown"
_STATUS = re.compile(r"^\s*status: (\w+)\s*$")
_ARCHIVE = re.compile(r"^\s*archiveId: (\S+), total WAL checked: (\d+), total valid WAL: (\d+)\s*$")
_BACKUP = re.compile(r"^\s*backup: (\S+), status: ([\w-]+), total files checked: (\d+), total valid files: (\d+)\s*$")
_COUNTS = re.compile(r"(missing|checksum invalid|size invalid|other): (\d+)")
_UNUSABLE = re.compile(r"^\s*No usable (backup\.info|archive\.info) file\s*$")
# Names of files only: what follows may hold decrypted content.
_NAMED = re.compile(
    r"(?:invalid checksum|invalid size|file missing|missing file|invalid result)\s+'?([\w./+-]+?)'?(?::|\s*$)"
)
_LOGGED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ P\d+\s+\w+: ")
_MOST_FILES = 50


@dataclass(frozen=True)
class Part:
    """A backup or an archive: how many files were read, how many are good, and how many are bad by kind of fault."""

    name: str
    status: str
    checked: int
    valid: int
    faults: Mapping[str, int]


@dataclass(frozen=True)
class Verified:
    """The verdict of the whole repository, and its parts; ``files`` are the bad ones that were named."""

    verdict: str
    reason: str
    backups: tuple[Part, ...] = ()
    archives: tuple[Part, ...] = ()
    files: tuple[str, ...] = ()

    def of(self, label: str) -> tuple[str, str]:
        """Verdict and reason of one backup."""
        if not self.backups:
            return self.verdict if self.verdict != GOOD else UNKNOWN, self.reason
        part = next((one for one in self.backups if one.name == label), None)
        if part is None:
            return UNKNOWN, f"verify does not tell of {label}"
        return _judged(part, "valid")


def read_verify(exit_code: int, output: str) -> Verified:
    """Judge the words; whatever lacks a status, or has faults beside one that is good, is not good."""
    status = ""
    unusable: list[str] = []
    files: list[str] = []
    backups: list[Part] = []
    archives: list[Part] = []
    latest: list[Part] = []
    for raw in output.splitlines():
        named = _NAMED.search(raw)
        if named and len(files) < _MOST_FILES:
            files.append(named.group(1))
        line = _LOGGED.sub("", raw)
        if found := _STATUS.match(line):
            status = found.group(1)
        elif found := _UNUSABLE.match(line):
            unusable.append(found.group(1))
        elif found := _ARCHIVE.match(line):
            archives.append(Part(found.group(1), "valid", int(found.group(2)), int(found.group(3)), {}))
            latest = archives
        elif found := _BACKUP.match(line):
            backups.append(Part(found.group(1), found.group(2), int(found.group(3)), int(found.group(4)), {}))
            latest = backups
        elif latest and (counts := _COUNTS.findall(line)):
            last = latest[-1]
            faults = {name: int(number) for name, number in counts if int(number)}
            latest[-1] = Part(last.name, last.status, last.checked, last.valid, faults)
    # With messages on, the text comes twice: once in the log, once as output.
    seen = Verified(UNKNOWN, "", _last_of_each(backups), _last_of_each(archives), tuple(dict.fromkeys(files)))
    verdict, reason = _verdict(exit_code, status, unusable, seen)
    return Verified(verdict, reason, seen.backups, seen.archives, seen.files)


def _verdict(exit_code: int, status: str, unusable: list[str], seen: Verified) -> tuple[str, str]:
    if unusable:
        return BAD, f"no usable {' and '.join(sorted(set(unusable)))}: damaged, or another passphrase"
    bad = [f"{one.name}: {reason}" for one in (*seen.backups, *seen.archives) for reason in [_bad(one)] if reason]
    if bad:
        return BAD, "; ".join(bad)
    if exit_code:
        return UNKNOWN, f"verify ended with exit code {exit_code}"
    if status == "ok" and seen.archives:
        return GOOD, "every file has the checksum of its manifest"
    if status:
        return UNKNOWN, f"verify says {status} and names no fault"
    return UNKNOWN, "verify has told nothing"


def _bad(part: Part) -> str:
    verdict, reason = _judged(part, part.status if part.status == "in-progress" else "valid")
    return reason if verdict == BAD else ""


def _judged(part: Part, good: str) -> tuple[str, str]:
    if part.faults:
        return BAD, ", ".join(f"{name} {number}" for name, number in part.faults.items())
    if part.status == "invalid":
        return BAD, f"invalid, {part.checked} files read"
    if part.valid != part.checked:
        return BAD, f"only {part.valid} of {part.checked} files are good"
    if part.status != good or (part.status == "valid" and not part.checked):
        return UNKNOWN, f"its status is {part.status}, {part.checked} files read"
    return GOOD, f"{part.checked} files have the checksums of the manifest"


def _last_of_each(parts: list[Part]) -> tuple[Part, ...]:
    return tuple({one.name: one for one in parts}.values())
