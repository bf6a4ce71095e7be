# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done, from the files and the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration

_WARNINGS = ("missing_file", "renamed", "down_changed")


@dataclass(frozen=True)
class Applied:
    """A row of the ledger; ``version`` is written as it was in the file's name, ``applied_at`` as ISO 8601 in UTC."""

    version: str
    name: str
    checksum: str
    state: str = "applied"
    applied_at: str = ""
    applied_by: str = ""
    duration_ms: int = 0
    run_id: str | None = None
    reversible: bool = False
    down_checksum: str | None = None

    @property
    def number(self) -> int:
        """What versions are ordered by."""
        return int(self.version)


@dataclass(frozen=True)
class Drift:
    """A difference between files and ledger.

    ``kind``: ``checksum_changed``, ``out_of_order``, ``missing_file``, ``renamed``, ``down_changed`` or ``unfinished``.
    """

    kind: str
    version: str
    name: str
    detail: str


@dataclass(frozen=True)
class Plan:
    """``pending`` in order, up to the target; ``later`` is what lies beyond it."""

    pending: tuple[Migration, ...]
    later: tuple[Migration, ...]
    drift: tuple[Drift, ...]
    head: str | None


def make_plan(files: Sequence[Migration], ledger: Iterable[Applied], target: str | None = None) -> Plan:
    """Compare files and ledger. Raises GoliveError ``target_unknown`` for a version that is nowhere."""
    rows = {row.number: row for row in ledger}
    known = {migration.number for migration in files}
    limit = None if target is None else _target(target, known | rows.keys())
    open_files = [migration for migration in files if migration.number not in rows]
    head = rows[max(rows)].version if rows else None
    return Plan(
        pending=tuple(one for one in open_files if limit is None or one.number <= limit),
        later=tuple(one for one in open_files if limit is not None and one.number > limit),
        drift=tuple(sorted(_drift(files, rows), key=lambda one: (int(one.version), one.kind))),
        head=head,
    )


def _target(target: str, known: Iterable[int]) -> int:
    if not target.isdigit() or int(target) not in set(known):
        raise GoliveError(
            "target_unknown",
            f"Cannot migrate to the version {target}: no file and no applied migration has it.",
            "Name the version of one of the files.",
        )
    return int(target)


def _drift(files: Sequence[Migration], rows: dict[int, Applied]) -> Iterable[Drift]:
    newest = max(rows, default=0)
    for one in files:
        row = rows.get(one.number)
        if row is None:
            if one.number < newest:
                yield Drift("out_of_order", one.version, one.name, f"{one.up.file} is older than the head")
        elif row.checksum != one.up.checksum:
            yield Drift("checksum_changed", one.version, one.name, f"{one.up.file} differs from what was applied")
        else:
            if row.name != one.name:
                yield Drift("renamed", one.version, one.name, f"{one.up.file} was applied as {row.version}_{row.name}")
            if (one.down.checksum if one.down else None) != row.down_checksum:
                yield Drift("down_changed", one.version, one.name, "the down script stored when it was applied counts")
    numbers = {one.number for one in files}
    for number, row in rows.items():
        if number not in numbers:
            yield Drift("missing_file", row.version, row.name, f"{row.version}_{row.name}.sql was applied and is gone")
        if row.state != "applied":
            yield Drift("unfinished", row.version, row.name, f"{row.version}_{row.name}.sql is in state {row.state}")


def check_plan(plan: Plan, out_of_order: bool) -> list[str]:
    """Warnings of a plan that may run.

    A missing file and a renamed one are warnings: a rollback of the application runs with the older release's files,
    and the ledger holds what is needed to go back. Raises GoliveError ``checksum_changed``, ``out_of_order`` or
    ``unfinished`` with ``files`` for one that may not.
    """
    _refuse(
        plan,
        "checksum_changed",
        "Applied files were changed",
        "Restore the files from version control, and put the change into a new file.",
    )
    _refuse(
        plan,
        "unfinished",
        "The ledger has migrations that did not end",
        "Look at what they left, finish or remove it by hand, then correct the ledger.",
    )
    if not out_of_order:
        wanted = {one.number for one in plan.pending}
        _refuse(
            plan,
            "out_of_order",
            "Files are older than migrations already applied",
            "Give them a later version, or set out_of_order: true when their order does not matter.",
            wanted,
        )
    return [
        f"{one.kind}: {one.detail}." for one in plan.drift if one.kind in ("missing_file", "renamed", "down_changed")
    ]


def _refuse(plan: Plan, kind: str, what: str, hint: str, among: set[int] | None = None) -> None:
    found = [one for one in plan.drift if one.kind == kind and (among is None or int(one.version) in among)]
    if found:
        names = [f"{one.version}_{one.name}.sql" for one in found]
        raise GoliveError(kind, f"{what}: {', '.join(names)}.", hint, {"files": names})
