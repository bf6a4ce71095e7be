# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""1,000 small migrations on an empty database, and a run with nothing to do, against other tools and psql alone.

Times are wall times of the whole command. Contenders take turns, each in a database of its own.
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
from statistics import median

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from report import markdown  # noqa: E402  # after the path is set

from tests.bench.migrate import corpus  # noqa: E402  # see above
from tests.bench.migrate.contenders import (  # noqa: E402  # see above
    Contender,
    Taken,
    empty,
    first_line,
    limit,
    ours,
)
from tests.bench.migrate.peers import PEERS  # noqa: E402  # see above
from tests.bench.migrate.programs import NotHadError  # noqa: E402  # see above
from tests.integration.postgres import Server  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "migrate.json"
# As a server comes, unlike the one of the tests: every commit reaches the disk.
_DURABLE = {"fsync": "on", "full_page_writes": "on"}


def main() -> int:
    options = _options()
    times: dict[str, dict[str, list[Taken]]] = {}
    not_had: dict[str, str] = {}
    loads = [os.getloadavg()[0]]
    server = Server.create(_DURABLE)
    try:
        with tempfile.TemporaryDirectory(prefix="golive-bench-") as directory:
            work = Path(directory)
            own = [ours(work), empty(work), limit(server)]
            peers = [] if options.sample else list(_peers(server, not_had))
            texts = corpus.migrations(options.files)
            folders = [_written(one, work / f"files-{number}", texts) for number, one in enumerate([*own, *peers])]
            for turn in range(options.rounds):
                for one, folder in zip([*own, *peers], folders, strict=True):
                    try:
                        runs = _measured(one, folder, server, options.files)
                    except RuntimeError as error:
                        if one in own:
                            raise
                        not_had[one.name] = first_line(error)
                        continue
                    for run, taken in runs.items():
                        times.setdefault(one.name, {}).setdefault(run, []).append(taken)
                        _say(f"round {turn + 1}, {one.name}, {run}: {taken.wall:.2f} s")
                loads.append(os.getloadavg()[0])
            version = _server_version(server)
    finally:
        server.remove()
    result = {
        "files": options.files,
        "rounds": options.rounds,
        "median_s": _medians(times, 0),
        "median_processor_s": _medians(times, 1),
        "seconds": times,
        "not_had": not_had,
        "machine": {
            "cores": os.cpu_count(),
            "load_1_min": [round(load, 1) for load in loads],
            "python": platform.python_version(),
            "postgresql": version,
            "date": time.strftime("%Y-%m-%d"),
        },
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))
    print(markdown(result, "tests/bench/migrate/run" + "".join(f" {word}" for word in sys.argv[1:])))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Apply many small migrations, against other tools and psql alone.")
    parser.add_argument("--sample", action="store_true", help="40 files, one round, ours and psql alone")
    parser.add_argument("--files", type=int, help="migrations (1000)")
    parser.add_argument("--rounds", type=int, help="runs of which the median counts (3)")
    options = parser.parse_args()
    options.files = options.files or (40 if options.sample else 1000)
    options.rounds = options.rounds or (1 if options.sample else 3)
    return options


def _peers(server: Server, not_had: dict[str, str]) -> Iterator[Contender]:
    for name, peer in PEERS.items():
        try:
            yield peer(server)
        except NotHadError as reason:
            not_had[name] = str(reason)
            _say(f"{name} is not to be had: {reason}")


def _written(one: Contender, folder: Path, texts: Sequence[str]) -> Path:
    folder.mkdir()
    one.write(folder, texts)
    return folder


def _measured(one: Contender, folder: Path, server: Server, files: int) -> dict[str, Taken]:
    with _database(server) as database:
        times = {"all": one.run(folder, server, database)}
        if one.changes:
            _check(one, server, database, files)
        if one.again:
            times["nothing"] = one.run(folder, server, database)
        return times


def _medians(times: dict[str, dict[str, list[Taken]]], which: int) -> dict[str, dict[str, float]]:
    return {
        name: {run: median(taken[which] for taken in all_taken) for run, all_taken in runs.items()}
        for name, runs in times.items()
    }


def _check(one: Contender, server: Server, database: str, files: int) -> None:
    """Whoever did less than all has no time."""
    connection = server.connect(database)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT tablename), count(*) FROM pg_indexes WHERE tablename LIKE 'item_%'")
        there = cursor.fetchone()
    connection.close()
    if there != corpus.expected(files):
        raise RuntimeError(f"{one.name} left {there} tables and indexes instead of {corpus.expected(files)}.")


@contextmanager
def _database(server: Server) -> Iterator[str]:
    name = "bench"
    admin = server.connect()
    try:
        with admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                yield name
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        admin.close()


def _server_version(server: Server) -> str:
    connection = server.connect()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        found = cursor.fetchone()
    connection.close()
    return str(found[0]).split()[0] if found else "unknown"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
