# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQLite files that others have made and the distribution carries, and a reader that knows nothing of our own code."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.cluster.progress import part
from tests.cluster.record import cache_dir, locked
from tests.images.debian import Packages
from tests.integration.conftest import Database

# Package to the file in it: coordinate systems with views, triggers and checks, and the data sets of R.
FILES = {
    "proj-data": "usr/share/proj/proj.db",
    "r-cran-rsqlite": "usr/lib/R/site-library/RSQLite/db/datasets.sqlite",
}


def public_file(package: str) -> Path:
    """The file of a package, fetched into the cache once."""
    with locked(cache_dir() / "public-databases.lock"):
        folder = cache_dir() / "programs" / "public-databases"
        if not folder.is_dir():
            _fetch(folder)
    return folder / Path(FILES[package]).name


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        part("fetch public SQLite files") as current,
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=".public-databases-") as work,
    ):
        packages = Packages(Path(work), current)
        versions = packages.resolve(*FILES)
        packages.unpack({name: versions[name] for name in FILES})
        made = Path(work) / "made"
        made.mkdir()
        for path in FILES.values():
            (packages.root / path).rename(made / Path(path).name)
        made.rename(folder)


def rows_of_sqlite(path: Path) -> dict[str, Counter[tuple[str | None, ...]]]:
    """Table to its rows as texts, each with how often it is there."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {
            name: Counter(tuple(map(_text, row)) for row in connection.execute(f'SELECT * FROM "{name}"'))
            for (name,) in tables.fetchall()
        }


def rows_of_postgres(database: Database, tables: list[str]) -> dict[str, Counter[tuple[str | None, ...]]]:
    """The same of the database; its values come as texts of the server's."""
    found = {}
    for name in tables:
        columns = database.query(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            f""" WHERE attrelid = '"{name}"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
        )
        asked = ", ".join(f'"{column}"::text' for column, _kind in columns)
        kinds = [kind for _column, kind in columns]
        found[name] = Counter(
            tuple(_of_server(value, kind) for value, kind in zip(row, kinds, strict=True))
            for row in database.query(f'SELECT {asked} FROM "{name}"')
        )
    return found


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.hex() if isinstance(value, bytes) else str(value)


def _of_server(value: str | None, kind: str) -> str | None:
    if value is None:
        return None
    return _AS_IN_SQLITE.get(kind, str)(value)


# The same value in the words of the other: 1 for 1.0, true for 1, hexadecimal digits for bytes.
_AS_IN_SQLITE: dict[str, Callable[[str], str]] = {
    "double precision": lambda value: str(float(value)),
    "boolean": lambda value: str(int(value == "true")),
    "bytea": lambda value: value.removeprefix("\\x"),
}
