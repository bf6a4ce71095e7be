# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep what a statement removes: a copy of the rows, in a table that the down script can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Parsed, parse
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement

# NAMEDATALEN of the server, less the byte that ends a name.
_LONGEST = 63


class SideTableError(Exception):
    """Why nothing can be kept, and what to do: both are texts for the user."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class SideTable:
    """``columns`` of ``source`` are kept, all of them without any, in a table ``name`` in the schema of the ledger."""

    name: str
    source: str
    columns: tuple[str, ...]

    def sql(self, schema: str) -> tuple[str, ...]:
        """What makes it, for the transaction that removes the rows. Writes wait while it copies, reads do not."""
        place = f"{_quoted(schema)}.{_quoted(self.name)}"
        columns = ", ".join(_quoted(one) for one in self.columns) or "*"
        return (
            f"LOCK TABLE {self.source} IN SHARE MODE",
            f"DROP TABLE IF EXISTS {place}",
            f"CREATE TABLE {place} AS SELECT {columns} FROM {self.source}",
        )


def side_table_name(file: str) -> str:
    """The table's name, from that of the file: ``side_0005_drop_tag`` for ``0005_drop_tag.sql``."""
    return "side_" + re.sub(r"\W+", "_", file.rpartition(".")[0] or file).lower()


def side_table(file: str, statement: Statement, key: Sequence[str]) -> SideTable:
    """What a statement removes of one table. ``key`` are the columns by which dropped values find their rows again.

    Raises SideTableError.
    """
    name = side_table_name(file)
    if len(name.encode()) > _LONGEST:
        raise SideTableError(f"the side table {name} would have too long a name", "Give the file a shorter name.")
    parsed = parse(statement)
    lost = _lost_columns(parsed)
    if lost and parsed.target is not None:
        if not key:
            raise SideTableError(
                "the values of a column need the key of their rows",
                "Write -- golive: side_table <key columns> above it.",
            )
        return SideTable(name, _written(parsed.target), (*key, *lost))
    if parsed.verb in ("DROP TABLE", "TRUNCATE") and len(parsed.names) == 1:
        return SideTable(name, _written(parsed.names[0]), ())
    raise SideTableError(
        "a side table keeps what one DROP COLUMN, ALTER COLUMN TYPE, DROP TABLE or TRUNCATE removes",
        "Put such a statement below the line, each table in a file of its own; or copy the rows with a statement.",
    )


def _lost_columns(parsed: Parsed) -> tuple[str, ...]:
    if parsed.verb != "ALTER TABLE":
        return ()
    return tuple(dict.fromkeys(one.name for one in parsed.actions if one.kind in ("drop column", "retype")))


def _written(name: Name) -> str:
    return f"{_quoted(name.schema)}.{_quoted(name.name)}" if name.qualified else _quoted(name.name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
