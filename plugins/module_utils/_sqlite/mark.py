# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database holds, in one number for each table: whether anybody has written to it since can be told from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.ledger import transaction
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import quoted

# A name of a table with its rows and the sum of their digests.
Mark = Mapping[str, list[Any]]
_TABLES = """
SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', 'golive') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1, 2
"""
# The text of a value depends on them.
_FORMS = {
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}


def mark_of(session: Session, only: Collection[str] | None = None) -> dict[str, list[Any]]:
    """The mark of all tables, or of those in ``only``, of one moment."""
    found: dict[str, list[Any]] = {}
    with transaction(session):
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name, value in _FORMS.items():
            session.value("SELECT set_config(%s, %s, true)", (name, value))
        for row in session.rows(_TABLES):
            table = f"{row['schema']}.{row['name']}"
            if only is not None and table not in only:
                continue
            (counted,) = session.rows(
                "SELECT count(*) AS rows, coalesce(sum(hashtextextended(golive_row::text, 0)::numeric), 0)::text AS sum"
                f" FROM {quoted(row['schema'])}.{quoted(row['name'])} AS golive_row"
            )
            found[table] = [counted["rows"], counted["sum"]]
    return found


def written_since(session: Session, before: Mark, only: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Tables that hold something else than they did, with their rows ``before`` and ``now``."""
    known = {table: row for table, row in before.items() if only is None or table in only}
    now = mark_of(session, only)
    none = [0, "0"]
    return [
        {"table": table, "before": known.get(table, none)[0], "now": now.get(table, none)[0]}
        for table in sorted({*known, *now})
        if list(known.get(table, none)) != list(now.get(table, none))
    ]


def told(written: list[dict[str, Any]]) -> str:
    """The same in words."""
    return ", ".join(f"{row['table']} ({row['before']} rows then, {row['now']} now)" for row in written)
