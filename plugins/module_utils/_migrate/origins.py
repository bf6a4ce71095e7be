# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ledgers of other tools say; they are only read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, Order
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_flyway import order_of
from ansible_collections.golive.cutover.plugins.module_utils._migrate.others import Place
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_NUMBER = re.compile(r"0*(\d{1,18})(?!\d)")


@dataclass(frozen=True)
class Origin:
    """A migration as the other tool's ledger has it; ``checksum`` is None where it keeps none."""

    version: str
    checksum: str | None = None


@dataclass(frozen=True)
class History:
    """A ledger's applied migrations, the oldest first, and its newest version.

    ``below`` is the version up to which the tool itself took the database as it was.
    """

    applied: tuple[Origin, ...]
    head: str | None
    below: str | None = None


def refused(place: Place, reason: str, hint: str, versions: Sequence[str] = ()) -> GoliveError:
    """Why a ledger cannot be taken over."""
    return GoliveError(
        "adopt_refused",
        f"Taking over the ledger of {place.tool} ({place}) was refused: {reason}.",
        hint,
        {"tool": place.tool, "table": str(place), "versions": list(versions)},
    )


def number_of(version: str) -> Order | None:
    """The number that a version begins with, as the order of files; None without one."""
    found = _NUMBER.match(version)
    return (int(found[1]),) if found else None


def read_history(session: Session, place: Place, files: Sequence[Migration], project: str) -> History:
    """What a ledger says is applied; ``project`` is that of Sqitch's plan.

    Raises GoliveError ``adopt_refused`` for one whose state is not clear, or why it cannot be read.
    """
    try:
        return _READERS[place.tool](session, place, files, project)
    except GoliveError as error:
        if error.code == "adopt_refused":
            raise
        error.message = f"Reading the ledger of {place.tool} ({place}) failed: {error.message}."
        error.args = (error.message,)
        raise


def _history(applied: Iterable[Origin], below: str | None = None) -> History:
    found = tuple(applied)
    return History(found, found[-1].version if found else below, below)


def _flyway(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(
        f"SELECT version, description, type, script, checksum, success FROM {place.quoted()} ORDER BY installed_rank"
    )
    failed = [row["script"] for row in rows if not row["success"]]
    if failed:
        hint = "Clean up what they have left, and let flyway repair its ledger."
        raise refused(place, f"{', '.join(failed)} failed and was not repaired", hint, failed)
    found: dict[Order, Origin] = {}
    # What runs again has no version; its newest row counts.
    again: dict[str, Origin] = {}
    below: str | None = None
    for row in rows:
        if row["version"] is None:
            if row["type"] != "SCHEMA":
                name = row["script"].rsplit("/", 1)[-1].removesuffix(".sql")
                again[name] = Origin(name, str(row["checksum"]))
            continue
        order = order_of(row["version"])
        if row["type"].startswith("UNDO") or row["type"] == "DELETE":
            found.pop(order, None)
        elif row["type"].endswith("BASELINE"):
            below = row["version"]
        elif row["type"] != "SCHEMA":
            checksum = None if row["checksum"] is None else str(row["checksum"])
            found[order] = Origin(row["version"], checksum)
    head = found[max(found)].version if found else below
    return History((*(found[one] for one in sorted(found)), *again.values()), head, below)


def _golang(session: Session, place: Place, files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(f"SELECT version, dirty FROM {place.quoted()}")
    if len(rows) > 1:
        raise refused(place, f"it has {len(rows)} rows instead of one", "Look at what has written them.")
    if not rows:
        return History((), None)
    version = str(rows[0]["version"])
    if rows[0]["dirty"]:
        hint = "Look what of it has run, correct the database, and set the version that it has with migrate force."
        raise refused(place, f"version {version} is marked dirty: it failed in the middle", hint, [version])
    if version.startswith("-"):
        return History((), None)
    limit = (int(version),)
    applied = [Origin(one.version) for one in files if one.order <= limit]
    if not any(one.order == limit for one in files):
        applied.append(Origin(version))
    return _history(applied)


def _goose(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(
        "SELECT version_id FROM (SELECT DISTINCT ON (version_id) version_id, is_applied"
        f" FROM {place.quoted()} ORDER BY version_id, id DESC) last WHERE is_applied AND version_id <> 0 ORDER BY 1"
    )
    return _history(Origin(str(row["version_id"])) for row in rows)


def _versions(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(f"SELECT version::text AS version FROM {place.quoted()} ORDER BY 1")
    return _history(sorted((Origin(row["version"]) for row in rows), key=lambda one: number_of(one.version) or ()))


def _sqitch(session: Session, place: Place, _files: Sequence[Migration], project: str) -> History:
    rows = session.rows(
        f"SELECT change_id, script_hash, change FROM {place.quoted()} WHERE project = %s ORDER BY committed_at",
        (project,),
    )
    if not rows:
        others = [row["project"] for row in session.rows(f"SELECT project FROM {place.quoted('projects')} ORDER BY 1")]
        reason = f"it has no change of the project '{project}', but the projects {', '.join(others) or 'none'}"
        raise refused(place, reason, "Give the directory of the plan that this database was deployed from.")
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        times = seen[row["change"]] = seen.get(row["change"], 0) + 1
        # An old Sqitch has written the id where it had no hash.
        checksum = row["script_hash"] if row["script_hash"] != row["change_id"] else None
        found.append(Origin(row["change"] if times == 1 else f"{row['change']}#{times}", checksum))
    return _history(found)


def _alembic(session: Session, place: Place, files: Sequence[Migration], _project: str) -> History:
    heads = [row["version_num"] for row in session.rows(f"SELECT version_num FROM {place.quoted()} ORDER BY 1")]
    parents = {one.version: one.parents for one in files}
    applied: set[str] = set()
    todo = list(heads)
    while todo:
        one = todo.pop()
        if one not in applied:
            applied.add(one)
            todo.extend(parents.get(one, ()))
    known = [Origin(one.version) for one in files if one.version in applied]
    return History((*known, *(Origin(one) for one in heads if one not in parents)), ", ".join(heads) or None)


def _atlas(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(
        "SELECT version, type, applied, total, coalesce(error, '') AS error, hash"
        f" FROM {place.quoted()} ORDER BY version"
    )
    # Atlas keeps a row of its own here.
    rows = [row for row in rows if number_of(row["version"])]
    half = [row["version"] for row in rows if not row["type"] & 4 and (row["error"] or row["applied"] != row["total"])]
    if half:
        hint = "Let atlas end it, or correct the database and mark the version as resolved."
        raise refused(place, f"{', '.join(half)} is applied in part", hint, half)
    below = next((row["version"] for row in reversed(rows) if row["type"] & 1), None)
    return _history((Origin(row["version"], row["hash"] or None) for row in rows if not row["type"] & 1), below)


def _sqlx(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(
        f"SELECT version::text AS version, success, encode(checksum, 'hex') AS checksum FROM {place.quoted()}"
        f" ORDER BY {place.quoted()}.version"
    )
    failed = [row["version"] for row in rows if not row["success"]]
    if failed:
        hint = "Correct the database and the row."
        raise refused(place, f"{', '.join(failed)} failed in the middle", hint, failed)
    return _history(Origin(row["version"], row["checksum"]) for row in rows)


def _prisma(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(
        f"SELECT migration_name, checksum, finished_at IS NOT NULL AS done FROM {place.quoted()}"
        " WHERE rolled_back_at IS NULL ORDER BY started_at"
    )
    half = [row["migration_name"] for row in rows if not row["done"]]
    if half:
        hint = "Correct the database, and let prisma migrate resolve it."
        raise refused(place, f"{', '.join(half)} did not end", hint, half)
    return _history(Origin(row["migration_name"], row["checksum"]) for row in rows)


def _pgroll(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(f"SELECT schema, name, parent, done FROM {place.quoted()} ORDER BY created_at")
    half = [row["name"] for row in rows if not row["done"]]
    if half:
        raise refused(place, f"{', '.join(half)} is started and not completed", "Complete it or roll it back.", half)
    if len({row["schema"] for row in rows}) > 1:
        raise refused(place, "it holds the migrations of several schemas", "Record the files with baseline.")
    return _history(Origin(row["name"]) for row in rows)


def _reshape(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    kept = session.rows(f"SELECT value::text AS value FROM {place.quoted('data')} WHERE key = 'state'")
    state = json.loads(kept[0]["value"]) if kept else "idle"
    name = _state_name(state)
    if name.lower() != "idle":
        raise refused(place, f"its state is {name}", "Complete or abort that migration with reshape.")
    return _history(Origin(row["name"]) for row in session.rows(f"SELECT name FROM {place.quoted()} ORDER BY index"))


def _state_name(state: Any) -> str:
    return str(state.get("state", next(iter(state), ""))) if isinstance(state, dict) else str(state)


def _liquibase(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    locks = "databasechangeloglock"
    if session.value("SELECT to_regclass(%s) IS NOT NULL", (place.quoted(locks),)):
        held = session.rows(f"SELECT lockedby FROM {place.quoted(locks)} WHERE locked")
        if held:
            reason = f"{locks} is held by {held[0]['lockedby'] or 'somebody'}"
            raise refused(place, reason, "Wait for that run; when it is dead, liquibase release-locks frees it.")
    rows = session.rows(f"SELECT id, exectype FROM {place.quoted()} ORDER BY orderexecuted")
    failed = [row["id"] for row in rows if row["exectype"] == "FAILED"]
    if failed:
        raise refused(place, f"the changesets {', '.join(failed)} failed", "Let liquibase end them.", failed)
    return _history(Origin(row["id"]) for row in rows)


def _django(session: Session, place: Place, _files: Sequence[Migration], _project: str) -> History:
    rows = session.rows(f"SELECT app || '.' || name AS name FROM {place.quoted()} ORDER BY id")
    return _history(Origin(row["name"]) for row in rows)


_READERS: dict[str, Callable[[Session, Place, Sequence[Migration], str], History]] = {
    "flyway": _flyway,
    "golang-migrate": _golang,
    "goose": _goose,
    "dbmate or rails": _versions,
    "sqitch": _sqitch,
    "alembic": _alembic,
    "atlas": _atlas,
    "sqlx": _sqlx,
    "prisma": _prisma,
    "pgroll": _pgroll,
    "reshape": _reshape,
    "liquibase": _liquibase,
    "django": _django,
}
