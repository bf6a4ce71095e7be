# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ledgers that other migration tools have left in a database: which, and where."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# Table name: (column that only this tool's table has, tool), the first that fits counts.
_TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "flyway_schema_history": (("installed_rank", "flyway"),),
    "schema_version": (("installed_rank", "flyway"),),
    "databasechangelog": (("orderexecuted", "liquibase"),),
    "changes": (("change_id", "sqitch"),),
    "schema_migrations": (("dirty", "golang-migrate"), ("version", "dbmate or rails")),
    "goose_db_version": (("version_id", "goose"),),
    "alembic_version": (("version_num", "alembic"),),
    "atlas_schema_revisions": (("partial_hashes", "atlas"),),
    "migrations": (("resulting_schema", "pgroll"), ("completed", "reshape")),
    "django_migrations": (("app", "django"),),
    "_sqlx_migrations": (("checksum", "sqlx"),),
    "_prisma_migrations": (("applied_steps_count", "prisma"),),
}


@dataclass(frozen=True)
class Place:
    """Where a ledger is: names of the tool, and of schema and table."""

    tool: str
    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"

    def quoted(self, table: str | None = None) -> str:
        """The ledger's table, or another one of its schema, for SQL."""
        return ".".join('"' + one.replace('"', '""') + '"' for one in (self.schema, table or self.table))


def other_ledgers(session: Session) -> list[Place]:
    """What was found in any schema."""
    rows = session.rows(
        "SELECT n.nspname AS schema, c.relname AS name, array_agg(a.attname::text) AS columns"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relkind IN ('r', 'p') AND c.relname = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2",
        (list(_TABLES),),
    )
    found = []
    for row in rows:
        tool = next((tool for column, tool in _TABLES[row["name"]] if column in row["columns"]), None)
        if tool:
            found.append(Place(tool, row["schema"], row["name"]))
    return found
