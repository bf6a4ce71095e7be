# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would have to change for a server to run with the wanted settings, and what each change takes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.setting_values import Known, comparable, written

RELOAD, RESTART, RECONNECT = "reload", "restart", "reconnect"
# pg_settings.context: https://www.postgresql.org/docs/current/view-pg-settings.html
_TAKES = {
    "postmaster": RESTART,
    "sighup": RELOAD,
    "superuser-backend": RECONNECT,
    "backend": RECONNECT,
    "superuser": RELOAD,
    "user": RELOAD,
}
_COLUMNS = (
    "name, vartype, context, unit, min_val, max_val, enumvals, reset_val, boot_val, source, sourcefile, pending_restart"
)
_OUTRANKS = {"command line": "on the command line of the server", "environment variable": "by an environment variable"}


@dataclass(frozen=True)
class Change:
    """One setting whose value in the running server is not the wanted one; ``after`` None takes it out of the file.

    ``pending``: the server has read the wanted value already and waits for its restart.
    """

    name: str
    before: str
    after: str | None
    unit: str | None
    takes: str
    pending: bool

    def as_dict(self) -> dict[str, Any]:
        """As a result carries it."""
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "unit": self.unit,
            "takes": self.takes,
            "pending": self.pending,
        }


def known_settings(session: Session) -> dict[str, Known]:
    """All settings of the server by their names in lower case."""
    rows = session.rows(f"SELECT {_COLUMNS} FROM pg_catalog.pg_settings")
    return {
        row["name"].lower(): Known(
            name=row["name"],
            vartype=row["vartype"],
            context=row["context"],
            unit=row["unit"],
            least=row["min_val"],
            most=row["max_val"],
            choices=tuple(row["enumvals"] or ()),
            value=row["reset_val"] or "",
            default=row["boot_val"],
            source=row["source"],
            file=row["sourcefile"],
            pending_restart=row["pending_restart"],
        )
        for row in rows
    }


def changes(session: Session, wanted: Mapping[str, Any], file: str | None) -> list[Change]:
    """The differences, by name. ``file`` is the one that brings the settings: what it no longer names is a change too.
    A value of None is the server's default.

    Raises GoliveError ``invalid`` with every fault at once: names that the server does not know, values that it would
    refuse, settings that nobody can set or that are set where no file outranks it.
    """
    known = known_settings(session)
    hidden = _set_for_login(session)
    configured = _configured(session)
    faults: list[str] = []
    found: list[Change] = []
    names = {name.lower(): name for name in wanted}
    for name in names.values():
        try:
            change = _change(known, hidden, configured, name, wanted[name])
        except ValueError as error:
            faults.append(f"{name}: {error}")
            continue
        if change is not None:
            found.append(change)
    if faults:
        raise GoliveError(
            "invalid",
            f"The settings cannot be had: {'; '.join(faults)}.",
            "Correct them; nothing was changed.",
            {"faults": faults},
        )
    if file is not None:
        gone = [row for low, row in known.items() if row.file == file and low not in names]
        found += [
            Change(row.name, row.value, None, row.unit, _TAKES[row.context], False)
            for row in gone
            if row.default is None or _differs(row, row.default)
        ]
    return sorted(found, key=lambda change: change.name)


def _differs(known: Known, text: str) -> bool:
    return comparable(known, text) != comparable(known, known.value)


def _change(
    known: Mapping[str, Known], hidden: frozenset[str], configured: Mapping[str, str], name: str, value: Any
) -> Change | None:
    row = known.get(name.lower())
    if row is None:
        if "." in name:
            # Of an extension that is not loaded: the server takes any, and nothing can be compared.
            return None
        near = difflib.get_close_matches(name.lower(), known, n=1)
        raise ValueError(f"the server has no such setting{f'; did you mean {near[0]}?' if near else ''}")
    if row.context not in _TAKES:
        raise ValueError("it is fixed when the server or its data is made")
    if row.source in _OUTRANKS:
        raise ValueError(f"it is set {_OUTRANKS[row.source]}, which outranks every file; take it away there")
    if row.name in hidden:
        raise ValueError(
            "it is set for this login or database (ALTER ROLE, ALTER DATABASE), which hides the server's own"
        )
    text = None if value is None else written(value)
    aim = (row.default or "") if text is None else text
    if not _differs(row, aim):
        return None
    read = configured.get(row.name.lower(), row.default or "")
    pending = row.pending_restart and comparable(row, read) == comparable(row, aim)
    return Change(row.name, row.value, text, row.unit, _TAKES[row.context], pending)


def _configured(session: Session) -> dict[str, str]:
    """What the files say of each setting now, whether the server has read them or not."""
    rows = session.rows("SELECT name, setting FROM pg_catalog.pg_file_settings WHERE name IS NOT NULL ORDER BY seqno")
    return {row["name"].lower(): row["setting"] for row in rows}


def _set_for_login(session: Session) -> frozenset[str]:
    rows = session.rows(
        "SELECT split_part(entry, '=', 1) AS name FROM pg_catalog.pg_db_role_setting s,"
        " LATERAL unnest(s.setconfig) AS entry"
        " WHERE s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user))"
        " AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))"
    )
    return frozenset(row["name"] for row in rows)
