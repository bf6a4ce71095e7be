# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long users wait while their table is changed: by this collection, by other tools, and by psql alone.

Each maker gets a copy of the same table, the same readers and writers at a steady rate, and the same session that sits
idle in a transaction and so keeps a lock for a while. Makers come one after the other; a run without any change tells
what this machine does by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from report import markdown  # noqa: E402  # after the path is set

from tests.bench.migrate.contenders import first_line  # noqa: E402  # see above
from tests.bench.waiting.changes import CHANGES, Change, setup  # noqa: E402  # see above
from tests.bench.waiting.contenders import Maker, others, own  # noqa: E402  # see above
from tests.bench.waiting.load import CLIENTS, Users, forgetful, users  # noqa: E402  # see above
from tests.integration.postgres import Server  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "waiting.json"
# As a server comes, unlike the one of the tests: every commit reaches the disk.
_DURABLE = {"fsync": "on", "full_page_writes": "on"}
_FULL, _COPY = "bench_full", "bench"
_SLOW_S = 1.0


def main() -> int:
    options = _options()
    not_had: dict[str, str] = {}
    changes = CHANGES[:2] if options.sample else CHANGES
    server = Server.create(_DURABLE)
    try:
        with tempfile.TemporaryDirectory(prefix="golive-bench-") as directory:
            work = Path(directory)
            _fill(server, options.rows)
            ours = own(work, server)
            peers = [] if options.sample else list(others(work, server, not_had))
            rows = [_untouched(server, options)]
            for number, maker in enumerate([*ours, *peers]):
                folder = work / f"files-{number}"
                folder.mkdir()
                try:
                    rows.append(_measured(maker, changes, folder, server, options))
                except RuntimeError as error:
                    if maker in ours:
                        raise
                    not_had[maker.name] = first_line(error)
                    _say(str(error))
    finally:
        server.remove()
    result = {
        "table_rows": options.rows,
        "rate": options.rate,
        "clients": CLIENTS,
        "hold_s": options.hold,
        "gap_s": options.gap,
        "slow_s": _SLOW_S,
        "changes": [change.name for change in changes],
        "rows": rows,
        "not_had": not_had,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "date": time.strftime("%Y-%m-%d")},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))
    print(markdown(result, "tests/bench/waiting/run" + "".join(f" {word}" for word in sys.argv[1:])))
    return 1 if rows[1]["failed"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How long users wait while their table is changed.")
    parser.add_argument("--sample", action="store_true", help="a small table, two changes, ours and psql alone")
    parser.add_argument("--rows", type=int, help="rows of the table (1000000)")
    parser.add_argument("--rate", type=int, help="statements a second (100)")
    parser.add_argument("--hold", type=float, help="seconds for which the forgetful session keeps its lock (6)")
    parser.add_argument("--gap", type=float, help="seconds between two such transactions (2)")
    options = parser.parse_args()
    small, full = (20_000, 50, 1.0, 0.5), (1_000_000, 100, 6.0, 2.0)
    for name, value in zip(("rows", "rate", "hold", "gap"), small if options.sample else full, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _untouched(server: Server, options: argparse.Namespace) -> dict[str, Any]:
    """The same users while nobody changes anything."""
    load = os.getloadavg()[0]
    with _copy(server) as database, _busy(server, database, options) as seen:
        begin = time.time()
        time.sleep(options.hold + options.gap if options.sample else 3 * (options.hold + options.gap))
        spans = [("", begin, time.time())]
    return _row("no change", None, load, spans, seen)


def _measured(
    maker: Maker, changes: Sequence[Change], folder: Path, server: Server, options: argparse.Namespace
) -> dict[str, Any]:
    load = os.getloadavg()[0]
    number = 0
    spans = []
    with _copy(server) as database, _busy(server, database, options) as seen:
        for change in changes:
            if not maker.runner.again:
                # Without a ledger what is there would run again.
                for old in folder.glob("*.sql"):
                    old.unlink()
            for part in maker.parts(change):
                number += 1
                maker.write(folder, number, part)
            begin = time.time()
            taken = maker.runner.run(folder, server, database).wall
            spans.append((change.name, begin, time.time()))
            _say(f"{maker.name}, {change.name}: {taken:.1f} s")
    return _row(maker.name, maker.limit_s, load, spans, seen)


def _row(
    name: str, limit_s: float | None, load: float, spans: list[tuple[str, float, float]], seen: Users
) -> dict[str, Any]:
    waits = [one.seconds for one in seen.between(spans[0][1], spans[-1][2])]
    _say(f"{name}: longest wait {max(waits):.3f} s of {len(waits)}, {seen.failed} failed")
    return {
        "name": name,
        "limit_s": limit_s,
        "load_1_min": round(load, 1),
        "statements": len(waits),
        "failed": seen.failed,
        "longest_s": max(waits),
        "slow": sum(1 for seconds in waits if seconds > _SLOW_S),
        "changes": {
            change: {
                "seconds": end - begin,
                "longest_s": max((one.seconds for one in seen.between(begin, end)), default=0.0),
            }
            for change, begin, end in spans
        },
    }


@contextmanager
def _busy(server: Server, database: str, options: argparse.Namespace) -> Iterator[Users]:
    with (
        users(server, database, options.rows, options.rate) as seen,
        forgetful(server, database, options.hold, options.gap),
    ):
        yield seen


def _fill(server: Server, rows: int) -> None:
    _run(server, "postgres", f"CREATE DATABASE {_FULL}")
    _run(server, _FULL, setup(rows))
    _run(server, _FULL, "VACUUM ANALYZE")


@contextmanager
def _copy(server: Server) -> Iterator[str]:
    _run(server, "postgres", f"CREATE DATABASE {_COPY} TEMPLATE {_FULL}", "CHECKPOINT")
    try:
        yield _COPY
    finally:
        _run(server, "postgres", f"DROP DATABASE {_COPY} WITH (FORCE)")


def _run(server: Server, database: str, *statements: str) -> None:
    connection = server.connect(database)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
