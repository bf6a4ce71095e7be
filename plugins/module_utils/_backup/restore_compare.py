# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold a restored copy against the database that lives: the rows of append-only tables up to the copy's last key.

Under write load a copy is never equal to what lives. A table that only grows, and whose keys do, is: up to the key
that the copy has last, both must have the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# As JSON a value has the same text whatever DateStyle or bytea_output a role has; order does not count in a sum.
_FACTS = "count(*), coalesce(max({key})::text, ''), coalesce(sum(hashtextextended(to_jsonb(t)::text, 0)::numeric), 0)"


@dataclass(frozen=True)
class Compared:
    """A table and what both sides hold of it: rows, last key, sum of the hashes of its rows."""

    table: str
    copy: str
    live: str

    @property
    def equal(self) -> bool:
        return self.copy == self.live


def copy_query(row: Mapping[str, Any]) -> str:
    """The query that the copy answers with one line."""
    return _query(row, "")


def compare(session: Session, row: Mapping[str, Any], answer: str) -> Compared:
    """Ask what lives for the same rows; ``answer`` is the copy's. Raises SqlError."""
    table = f"{row['schema']}.{row['table']}"
    _count, key, _sum = answer.split("|", 2)
    live = session.value(_query(row, "WHERE {key} <= %s"), [key]) if key else answer
    return Compared(table, answer, str(live))


def unanswered(rows: Sequence[Mapping[str, Any]], answers: Mapping[str, str], refused: Mapping[str, str]) -> list[str]:
    """A text for each table of which the copy has told nothing."""
    return [
        f"the copy does not tell the rows of {row['schema']}.{row['table']}: {refused.get(number, 'no answer')}"
        for number, row in ((str(place), row) for place, row in enumerate(rows, 1))
        if number not in answers
    ]


def _query(row: Mapping[str, Any], where: str) -> str:
    names = {"key": _quoted(row["key"]), "table": f"{_quoted(row['schema'])}.{_quoted(row['table'])}"}
    text = f"SELECT concat_ws('|', {_FACTS}) FROM {{table}} t {where}"
    return text.format(**names)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
