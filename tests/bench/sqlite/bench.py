# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a SQLite file of 3 million rows over, against pgloader and COPY of ready binary files.

Contenders take turns, each in an empty database on a server that keeps what it commits. What arrived is compared value
by value through texts, by neither of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from tests.bench.sqlite.shop import TABLES, write  # noqa: E402  # after the path is set
from tests.integration.postgres import PASSWORD, SUPERUSER, Server  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "sqlite.json"
_DURABLE = {"fsync": "on", "full_page_writes": "on", "max_wal_size": "4GB", "shared_buffers": "512MB"}
OURS, PGLOADER, LIMIT = "sqlite_copy", "pgloader", "COPY of ready binary files"
_RUN = "from tests.bench.sqlite.ours import main; main()"


def main() -> int:
    options = _options()
    rounds = 1 if options.sample else options.rounds
    scale = 0.005 if options.sample else options.scale
    walls: dict[str, list[float]] = {}
    loads = [os.getloadavg()[0]]
    server = Server.create(_DURABLE)
    try:
        with tempfile.TemporaryDirectory(prefix="golive-bench-") as directory:
            work = Path(directory)
            rows = write(work / "shop.db", scale)
            wrong: dict[str, str] = {}
            contenders: dict[str, Callable[[str], float]] = {
                OURS: lambda name: _ours(server, work / "shop.db", name),
                LIMIT: lambda name: _limit(server, work, name),
                PGLOADER: lambda name: _pgloader(server, work, name),
            }
            for turn in range(rounds):
                for contender, run in contenders.items():
                    name = f"b{len(wrong)}_{turn}_{list(contenders).index(contender)}"
                    _administer(server, f"CREATE DATABASE {name}")
                    seconds = run(name)
                    walls.setdefault(contender, []).append(seconds)
                    _say(f"round {turn + 1}, {contender}: {seconds:.2f} s")
                    if turn == 0:
                        wrong[contender] = _wrong(server, work / "shop.db", name)
                    if contender == OURS and turn == 0:
                        _keep(server, work, name)
                    _administer(server, f"DROP DATABASE {name}")
                loads.append(os.getloadavg()[0])
            sizes = {} if options.sample else _sizes(server, work, scale)
            size = (work / "shop.db").stat().st_size
    finally:
        server.remove()
    found = {"rows": rows, "bytes": size, "walls_s": walls, "wrong": wrong, "sizes_s": sizes, "loads": loads}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2))
    print(_markdown(found, rounds))
    return 0


def _ours(server: Server, path: Path, name: str) -> float:
    """The whole verb: snapshot, census, rows, keys, proof."""
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", _RUN, str(path), str(server.port), name],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - begin


def _pgloader(server: Server, work: Path, name: str) -> float:
    target = f"pgsql://{SUPERUSER}:{PASSWORD}@127.0.0.1:{server.port}/{name}"
    begin = time.monotonic()
    done = subprocess.run(
        ["pgloader", str(work / "shop.db"), target], cwd=work, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - begin
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return seconds


def _keep(server: Server, work: Path, name: str) -> None:
    """Write the tables to the files that the limit reads."""
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        for table in TABLES:
            with (work / f"{table}.copy").open("wb") as file:
                cursor.copy_expert(f"COPY {table} TO STDOUT (FORMAT BINARY)", file)
            cursor.execute(
                "SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)"
                f" FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
            )
            row = cursor.fetchone()
            assert row is not None
            (work / f"{table}.columns").write_text(row[0])


def _limit(server: Server, work: Path, name: str) -> float:
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        begin = time.monotonic()
        for table in TABLES:
            cursor.execute(f"CREATE TABLE {table} ({(work / f'{table}.columns').read_text()})")
            with (work / f"{table}.copy").open("rb") as file:
                cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT BINARY)", file, 1 << 18)
        return time.monotonic() - begin


def _wrong(server: Server, path: Path, name: str) -> str:
    """Values that are not what SQLite has, by column, compared through texts in the order of keys."""
    found = []
    with closing(sqlite3.connect(path)) as source, closing(server.connect(name)) as target:
        for table in TABLES:
            theirs = source.execute(f"SELECT * FROM {table} ORDER BY id")
            names = [column[0] for column in theirs.description]
            target.autocommit = False
            with target.cursor(f"of_{table}") as ours:
                ours.itersize = 20_000
                ours.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY id")
                odd = dict.fromkeys(names, 0)
                for row, other in zip(theirs, ours, strict=False):
                    for column, value, there in zip(names, row, other, strict=True):
                        odd[column] += _text(value, column) != _text(there, column)
            target.rollback()
            found += [f"{table}.{column} {count:,}" for column, count in odd.items() if count]
            with target.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {table}")
                row_ = cursor.fetchone()
                missing = source.execute(f"SELECT count(*) FROM {table}").fetchone()[0] - (row_[0] if row_ else 0)
                found += [f"{table}: {missing:,} rows"] if missing else []
            target.rollback()
    return ", ".join(found)


def _text(value: Any, column: str) -> str:
    if column == "active":
        return str(int(value))
    if isinstance(value, memoryview):
        return bytes(value).hex()
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "replace") and hasattr(value, "year"):
        return str(value.replace(tzinfo=None))
    return repr(value) if isinstance(value, float) else str(value)


def _sizes(server: Server, work: Path, scale: float) -> dict[str, float]:
    """Seconds of ours for a quarter, a half and all of the rows."""
    found = {}
    for part in (0.25, 0.5, 1.0):
        path = work / f"part-{part}.db"
        rows = write(path, scale * part)
        _administer(server, "CREATE DATABASE sized")
        found[str(rows)] = _ours(server, path, "sized")
        _administer(server, "DROP DATABASE sized")
        path.unlink()
    return found


def _administer(server: Server, statement: str) -> None:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _markdown(found: dict[str, Any], rounds: int) -> str:
    medians = {name: median(values) for name, values in found["walls_s"].items()}
    about = (
        f"{found['rows']:,} rows in {found['bytes'] / 1e6:.0f} MB, median of {rounds} rounds,"
        f" {os.cpu_count()} processors, Python {platform.python_version()}, load {min(found['loads']):.1f} to"
        f" {max(found['loads']):.1f}. `sqlite_copy` checks the file, looks at every value, makes keys and reads every"
        " byte back; the others do none of that, pgloader makes keys. «Wrong» was found by comparing texts."
    )
    lines = [
        about,
        "",
        "| contender | wall s | rows/s | time of ours | wrong values |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in sorted(medians.items(), key=lambda pair: pair[1]):
        ratio = f"{seconds / medians[OURS]:.2f}×"
        wrong = found["wrong"][name] or "none"
        lines.append(f"| {name} | {seconds:.2f} | {found['rows'] / seconds:,.0f} | {ratio} | {wrong} |")
    if found["sizes_s"]:
        grown = ", ".join(f"{int(rows):,} rows {seconds:.1f} s" for rows, seconds in found["sizes_s"].items())
        lines += ["", f"How it grows: {grown}."]
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="a hundredth of the rows, once")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("pgloader"):
        parser.error("pgloader is missing; tests/setup/packages installs it")
    return options


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
