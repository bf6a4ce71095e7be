# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take over the ledger of another tool: match what it has applied with the files, and check the checksums it kept."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, Order
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_flyway import order_of
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_sqitch import read_project
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Taken
from ansible_collections.golive.cutover.plugins.module_utils._migrate.origins import (
    History,
    Origin,
    number_of,
    read_history,
    refused,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.others import Place, other_ledgers
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import placed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.recording import Recording
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# Their versions mean something in their own layout only.
_OWN_LAYOUT = ("flyway", "sqitch", "alembic")
# Their migrations are no SQL files, so that there need not be a file for each.
_WITHOUT_FILES = ("dbmate or rails", "pgroll", "reshape", "liquibase", "django")
# Nothing in them says which file one would be.
_OPAQUE = ("liquibase", "django")
_BASELINE = "Record the files that the database has with baseline: <version>; then nothing needs to be taken over."


def adopt(session: Session, files: Sequence[Migration], path: str, layout: str) -> Recording:
    """What the only other ledger of a database says, as rows of ours; nothing when there is none.

    Raises GoliveError ``adopt_refused`` when it is not clear what is applied, or ``checksum_changed`` for a file that
    is not the one that the tool has applied.
    """
    places = other_ledgers(session)
    if not places:
        return Recording()
    place = places[0]
    if len(places) > 1:
        named = ", ".join(f"{one.tool} ({one})" for one in places)
        raise GoliveError(
            "adopt_refused",
            f"Taking over a ledger was refused: there are several: {named}.",
            "Remove those that no longer count, or record the files that the database has with baseline: <version>.",
            {"versions": []},
        )
    if layout != place.tool and (place.tool in _OWN_LAYOUT or layout in _OWN_LAYOUT):
        wanted = f"Set layout: {place.tool}." if place.tool in _OWN_LAYOUT else "Set the layout of that tool's files."
        raise refused(place, f"the files are read in the layout {layout}", f"{wanted} Or: {_BASELINE}")
    files = placed(files, [])
    history = read_history(session, place, files, read_project(path) if layout == "sqitch" else "")
    found = _matched(place, files, history, layout)
    _check(place, files, found)
    if history.below:
        limit = order_of(history.below)
        known = {one.order for one, _checksum in found}
        found += [(one, None) for one in files if one.order <= limit and one.order not in known]
    found.sort(key=lambda one: one[0].order)
    ours = _digest([f"{one.version} {one.up.checksum}" for one, _checksum in found])
    theirs = _digest([f"{one.version} {one.checksum or ''}" for one in history.applied])
    return Recording(place.tool, tuple(found), Taken(place.tool, str(place), history.head, theirs, ours))


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _matched(
    place: Place, files: Sequence[Migration], history: History, layout: str
) -> list[tuple[Migration, str | None]]:
    keys = [_key(place.tool, one) for one in history.applied]
    # Names that do not all begin with numbers of their own say nothing of files.
    opaque = place.tool in _OPAQUE or (None in keys and place.tool in _WITHOUT_FILES) or len(set(keys)) < len(keys)
    if opaque:
        if files:
            names = ", ".join(one.up.file for one in files)
            raise refused(place, f"it does not tell which of the files {names} are applied", _BASELINE)
        return []
    by: Mapping[Order | str, Migration] = {one.version: one for one in files} | {one.order: one for one in files}
    found = []
    missing = []
    for origin, key in zip(history.applied, keys, strict=True):
        one = by.get(key) if key is not None else None
        if one and not (one.again and origin.checksum != _flyway(one, files)):
            found.append((one, origin.checksum))
        elif not one and not origin.version.startswith("R__"):
            missing.append(origin.version)
    if place.tool not in _WITHOUT_FILES or layout == "dbmate":
        if missing:
            hint = f"Add the files, or check path and layout. Or: {_BASELINE}"
            raise refused(place, f"applied versions have no file: {', '.join(missing)}", hint, missing)
        return found
    head = max((key for key in keys if isinstance(key, tuple)), default=())
    known = {one.order for one, _checksum in found}
    older = [one.up.file for one in files if one.order <= head and one.order not in known]
    if older:
        reason = f"{', '.join(older)} is not newer than its newest version {history.head}, and not among those applied"
        raise refused(place, reason, f"Give it a later version. Or: {_BASELINE}")
    return found


def _key(tool: str, one: Origin) -> Order | str | None:
    if tool in ("sqitch", "alembic") or one.version.startswith("R__"):
        return one.version
    return order_of(one.version) if tool == "flyway" else number_of(one.version)


def _check(place: Place, files: Sequence[Migration], found: Sequence[tuple[Migration, str | None]]) -> None:
    checksum_of = _CHECKSUMS.get(place.tool)
    if not checksum_of:
        return
    changed = [one.up.file for one, checksum in found if checksum and checksum != checksum_of(one, files)]
    if changed:
        raise GoliveError(
            "checksum_changed",
            f"Taking over the ledger of {place.tool} ({place}) was refused: {', '.join(changed)} is not what it has"
            " applied.",
            f"Restore the files from version control. Or: {_BASELINE}",
            {"files": changed},
        )


def _flyway(one: Migration, _files: Sequence[Migration]) -> str:
    text = one.raw.decode("utf-8", "replace").removeprefix("\ufeff")
    for end in ("\r", "\n"):
        text = text.replace(end, "")
    number = zlib.crc32(text.encode())
    return str(number - 2**32 if number >= 2**31 else number)


def _atlas(one: Migration, files: Sequence[Migration]) -> str:
    """The checksum goes on over all files up to this one."""
    running = hashlib.sha256()
    for file in sorted(files, key=lambda each: each.up.file):
        running.update(file.up.file.encode() + file.raw)
        if file is one:
            break
    return base64.b64encode(running.digest()).decode()


_CHECKSUMS: dict[str, Callable[[Migration, Sequence[Migration]], str]] = {
    "flyway": _flyway,
    "sqitch": lambda one, _files: hashlib.sha1(one.raw, usedforsecurity=False).hexdigest(),
    "sqlx": lambda one, _files: hashlib.sha384(one.raw).hexdigest(),
    "prisma": lambda one, _files: hashlib.sha256(one.raw).hexdigest(),
    "atlas": _atlas,
}
