# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done, from the files and the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import AGAIN, Migration, Order
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import fingerprint

_WARNINGS = ("missing_file", "renamed", "down_changed")


@dataclass(frozen=True)
class Applied:
    """A row of the ledger; ``version`` is written as it was in the file's name, ``applied_at`` as ISO 8601 in UTC.

    ``state`` is ``applied``, or ``running`` and ``reverting`` for one that did not end; then ``statements_done`` of its
    statements are behind it, and ``done_fingerprint`` is what those said. ``loss`` is the loss class of going back.
    ``intent`` is the statement that was begun outside of a transaction, ``cursor`` how far a batch has come.
    ``origin`` says who has applied it, when that was not this collection: another tool, whose checksum of the file is
    ``origin_checksum``, or ``baseline``. ``file`` is the name that its file had. ``verified`` is False until its verify
    script has held, and None when it had none or is not known to.
    """

    version: str
    name: str
    order: Order
    checksum: str
    checksum_normal: str = ""
    kind: str = "tx"
    phase: str = "expand"
    state: str = "applied"
    statements: int = 0
    statements_done: int = 0
    done_fingerprint: str | None = None
    intent: dict[str, object] | None = None
    cursor: dict[str, object] | None = None
    started_at: str = ""
    applied_at: str | None = ""
    applied_by: str = ""
    duration_ms: int = 0
    run_id: str | None = None
    reversible: bool = False
    loss: str = "none"
    down_checksum: str | None = None
    origin: str | None = None
    origin_checksum: str | None = None
    file: str = ""
    restore_point: str | None = None
    verified: bool | None = None


@dataclass(frozen=True)
class Drift:
    """A difference between files and ledger.

    ``kind``: ``checksum_changed``, ``out_of_order``, ``missing_file``, ``renamed``, ``down_changed`` or ``unfinished``.
    """

    kind: str
    version: str
    name: str
    detail: str
    order: Order
    file: str


@dataclass(frozen=True)
class Plan:
    """``pending`` in order, up to the target; ``later`` is what lies beyond it or belongs to another phase.

    ``unfinished`` are rows of pending files whose run did not end, by their order. ``unverified`` are applied files
    whose verify script has not held yet.
    """

    pending: tuple[Migration, ...]
    later: tuple[Migration, ...]
    drift: tuple[Drift, ...]
    head: str | None
    unfinished: dict[Order, Applied]
    unverified: tuple[Migration, ...]


def make_plan(
    files: Sequence[Migration], ledger: Iterable[Applied], target: str | None = None, phase: str | None = None
) -> Plan:
    """Compare files and ledger; ``phase`` chooses files of one phase.

    Raises GoliveError ``target_unknown`` for a version that is nowhere.
    """
    rows = {row.order: row for row in ledger}
    files = placed(files, rows.values())
    limit = None if target is None else find_order(target, files, rows.values())
    done = {order for order, row in rows.items() if row.state == "applied"}
    open_files = [one for one in files if one.order not in done or _runs_again(one, rows[one.order])]
    opened = {one.order for one in open_files}

    def wanted(one: Migration) -> bool:
        return (limit is None or one.order <= limit) and phase in (None, one.up.directives.phase)

    return Plan(
        pending=tuple(one for one in open_files if wanted(one)),
        later=tuple(one for one in open_files if not wanted(one)),
        drift=tuple(sorted(_drift(files, rows), key=lambda one: (one.order, one.kind))),
        head=next((rows[order].version for order in sorted(done, reverse=True) if order < (AGAIN,)), None),
        unfinished={order: row for order, row in rows.items() if row.state != "applied"},
        unverified=tuple(one for one in files if one.order not in opened and rows[one.order].verified is False),
    )


def placed(files: Sequence[Migration], rows: Iterable[Applied]) -> list[Migration]:
    """Files with their order. One that only its place in the list gives is that of its row; a new file is behind the
    one before it, so that it is older than the head when a file after it is applied."""
    known = {row.version: row.order for row in rows}
    taken = set(known.values())
    newest = max(taken, default=(0,))
    before: Order = (0,)
    found = []
    for one in files:
        if one.order:
            found.append(one)
            continue
        order = known.get(one.version) or ((before[0] + 1,) if before >= newest else (*before, 1))
        while one.version not in known and order in taken:
            order = (*order[:-1], 0, 1)
        found.append(replace(one, order=order))
        before = max(before, order)
    return found


def newest_version(files: Sequence[Migration], target: str = "") -> str:
    """The newest version up to ``target`` that a release needs: none of the phase contract, none that runs again.

    Empty without any. Raises GoliveError ``target_unknown``.
    """
    files = placed(files, ())
    limit: Order = find_order(target, files, ()) if target else (AGAIN,)
    wanted = [one for one in files if one.order < (AGAIN,) and one.order <= limit]
    return next((one.version for one in reversed(wanted) if one.up.directives.phase == "expand"), "")


def find_order(target: str, files: Iterable[Migration], rows: Iterable[Applied]) -> Order:
    """Where a version stands. Raises GoliveError ``target_unknown`` for one that neither a file nor a row has."""
    known = {one.version: one.order for one in files} | {row.version: row.order for row in rows}
    known = {version: order for version, order in known.items() if order < (AGAIN,)}
    if target in known:
        return known[target]
    if target.isdigit() and (int(target),) in known.values():
        return (int(target),)
    raise GoliveError(
        "target_unknown",
        f"Cannot migrate to the version {target}: no file and no applied migration has it.",
        "Name the version of one of the files.",
    )


def _drift(files: Sequence[Migration], rows: dict[Order, Applied]) -> Iterable[Drift]:
    newest = max((order for order, row in rows.items() if row.phase == "expand" and order < (AGAIN,)), default=())
    for one in files:
        row = rows.get(one.order)
        if row is None:
            # What removes something waits for the release that needs it no more, so that it may come late.
            if one.order < newest and one.up.directives.phase == "expand":
                yield _of(one, "out_of_order", f"{one.up.file} is older than the head")
        elif row.state != "applied":
            yield from _unfinished(one, row)
        elif _changed(one, row):
            if one.again:
                continue
            yield _of(one, "checksum_changed", f"{one.up.file} differs from what was applied")
        else:
            if row.name != one.name:
                yield _of(one, "renamed", f"{one.up.file} was applied as {row.file.removesuffix('.sql')}")
            if (one.down.checksum if one.down else None) != row.down_checksum:
                yield _of(one, "down_changed", "the down script stored when it was applied counts")
    orders = {one.order for one in files}
    for order, row in rows.items():
        if order not in orders:
            gone = f"{row.file} was applied and is gone"
            yield Drift("missing_file", row.version, row.name, gone, order, row.file)


def _changed(one: Migration, row: Applied) -> bool:
    return one.up.checksum != row.checksum and one.up.checksum_normal != row.checksum_normal


def _runs_again(one: Migration, row: Applied) -> bool:
    return one.again and _changed(one, row)


def _unfinished(one: Migration, row: Applied) -> Iterable[Drift]:
    """A run that did not end goes on by itself, if what it has done is still what the file begins with."""
    statements, done = one.up.statements, row.statements_done
    detail = f"{row.file} is in state {row.state}"
    if row.state == "running":
        begun = statements[done : done + 1] if row.intent else ()
        if row.kind == "batch":
            detail += ", and its statement, which has changed rows, was changed"
            kept = row.checksum_normal == one.up.checksum_normal or not row.cursor
        else:
            detail += f", and what ran or was begun, its first {done + len(begun)} statements, was changed"
            kept = row.done_fingerprint == fingerprint(statements[:done])
            kept = kept and (not row.intent or row.intent["fingerprint"] == fingerprint(begun))
        if kept:
            return
    yield _of(one, "unfinished", detail)


def _of(one: Migration, kind: str, detail: str) -> Drift:
    return Drift(kind, one.version, one.name, detail, one.order, one.up.file)


def check_plan(plan: Plan, out_of_order: bool) -> list[str]:
    """Warnings of a plan that may run.

    A missing file and a renamed one are warnings: a rollback of the application runs with the older release's files,
    and the ledger holds what is needed to go back. Raises GoliveError ``checksum_changed``, ``out_of_order`` or
    ``unfinished`` with ``files`` for one that may not, and the fault of a file that would run.
    """
    for one in plan.pending:
        if one.fault:
            raise one.fault
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
        "Restore what the file began with, so that the run can go on behind it; or take it back by hand and delete its"
        " row.",
    )
    if not out_of_order:
        wanted = {one.order for one in plan.pending}
        _refuse(
            plan,
            "out_of_order",
            "Files are older than migrations already applied",
            "Give them a later version; or set out_of_order: true when their order does not matter; or record them with"
            " baseline when the database has what they do.",
            wanted,
        )
    return [f"{one.kind}: {one.detail}." for one in plan.drift if one.kind in _WARNINGS]


def _refuse(plan: Plan, kind: str, what: str, hint: str, among: set[Order] | None = None) -> None:
    found = [one for one in plan.drift if one.kind == kind and (among is None or one.order in among)]
    if found:
        names = [one.file for one in found]
        raise GoliveError(kind, f"{what}: {', '.join(names)}.", hint, {"files": names})
