# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes the changes, each in the best way that its documentation shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.migrate import contenders, corpus, peers
from tests.bench.migrate.programs import NotHadError
from tests.bench.waiting.changes import Change, Part
from tests.integration.postgres import Server

LOCK_TIMEOUT_S = 3.0
SHORT_S = 0.5
_TRIES = 200
# Each file until it succeeds: what an operator does whose lock was not to be had.
_REPEATED = (
    'for file in *.sql; do tries=0; until "$0" -X -q -v ON_ERROR_STOP=1 -f "$file"; do'
    f" tries=$((tries + 1)); test $tries -lt {_TRIES} || exit 1; done; done"
)
_ALEMBIC_BLOCK = '    with op.get_context().autocommit_block():\n        op.execute("""{text}""")\n'


# Its documentation: its own lock would wait for the index build, which would wait for that lock; and a schema that is
# not empty needs a baseline.
_FLYWAY = {
    "FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK": "false",
    "FLYWAY_BASELINE_ON_MIGRATE": "true",
    "FLYWAY_BASELINE_VERSION": "0",
}


@dataclass(frozen=True)
class Maker:
    """``write`` puts a part of a change as migration ``number`` into a folder; ``plain`` takes the shortest way."""

    runner: contenders.Contender
    write: Callable[[Path, int, Part], None]
    plain: bool = False
    # The most that a user should wait for a lock that this maker wants; None is no limit.
    limit_s: float | None = None

    @property
    def name(self) -> str:
        """As tables show it."""
        return self.runner.name

    def parts(self, change: Change) -> tuple[Part, ...]:
        """What this maker makes of a change, one migration each."""
        return change.plain if self.plain else change.careful


def own(work: Path, server: Server) -> list[Maker]:
    """Ours, with its default lock_timeout, and psql alone."""
    psql = contenders.limit(server)
    repeated = ("sh", "-c", _REPEATED, str(server.bin / "psql"))
    return [
        Maker(contenders.ours(work), _native, limit_s=LOCK_TIMEOUT_S),
        Maker(replace(psql, name="psql, the shortest way"), _plain, plain=True),
        Maker(replace(psql, name="psql, all by hand", command=repeated), _by_hand, limit_s=LOCK_TIMEOUT_S),
    ]


def others(work: Path, server: Server, not_had: dict[str, str]) -> Iterator[Maker]:
    """Ours with a short lock_timeout, and the peers."""
    short = contenders.ours(work, "short", f"        lock_timeout: {SHORT_S}\n")
    yield Maker(replace(short, name=f"{short.name}, lock_timeout {SHORT_S} s"), _native, limit_s=SHORT_S)
    for name, write in _WRITERS.items():
        try:
            peer = peers.PEERS[name](server)
        except NotHadError as reason:
            not_had[name] = str(reason)
            continue
        more = _FLYWAY if name == "Flyway" else {}
        yield Maker(replace(peer, environment={**peer.environment, **more}), write)


def _native(folder: Path, number: int, part: Part) -> None:
    head = "-- golive: kind batch\n-- golive: batch_table orders\n" if part.batches else ""
    text = part.text.replace("{range}", ":range AND")
    folder.joinpath(f"{number:04}_step.sql").write_text(head + text)


def _whole(part: Part) -> str:
    """In one statement: only ours has batches."""
    return part.text.replace("{range} ", "")


def _plain(folder: Path, number: int, part: Part) -> None:
    folder.joinpath(f"{number:04}_step.sql").write_text(_whole(part))


def _by_hand(folder: Path, number: int, part: Part) -> None:
    text = _whole(part)
    if not part.alone:
        text = f"BEGIN;\nSET LOCAL lock_timeout = '{LOCK_TIMEOUT_S:g}s';\n{text}COMMIT;\n"
    folder.joinpath(f"{number:04}_step.sql").write_text(text)


def _goose(folder: Path, number: int, part: Part) -> None:
    head = "-- +goose NO TRANSACTION\n" if part.alone else ""
    body = f"-- +goose Up\n-- +goose StatementBegin\n{_whole(part)}-- +goose StatementEnd\n"
    folder.joinpath(f"{number:04}_step.sql").write_text(head + body)


def _golang_migrate(folder: Path, number: int, part: Part) -> None:
    folder.joinpath(f"{number:04}_step.up.sql").write_text(_whole(part))


def _flyway(folder: Path, number: int, part: Part) -> None:
    folder.joinpath(f"V{number:04}__step.sql").write_text(_whole(part))


def _liquibase(folder: Path, number: int, part: Part) -> None:
    if number == 1:
        corpus.liquibase(folder, [])
    how = " runInTransaction:false" if part.alone else ""
    head = f"--liquibase formatted sql\n--changeset bench:{number:04} splitStatements:false{how}\n"
    folder.joinpath("changes", f"{number:04}_step.sql").write_text(head + _whole(part))


def _alembic(folder: Path, number: int, part: Part) -> None:
    if number == 1:
        corpus.alembic(folder, [])
        env = folder / "env.py"
        env.write_text(env.read_text().replace("target_metadata=None", "transaction_per_migration=True"))
    body = _ALEMBIC_BLOCK if part.alone else corpus.ALEMBIC_STATEMENT
    corpus.alembic_revision(folder, number, body.format(text=_whole(part)))


def _sqitch(folder: Path, number: int, part: Part) -> None:
    if number == 1:
        corpus.sqitch(folder, [])
    text = _whole(part)
    corpus.sqitch_change(folder, number, text if part.alone else f"BEGIN;\n{text}COMMIT;\n")


_WRITERS: dict[str, Callable[[Path, int, Part], None]] = {
    "goose": _goose,
    "golang-migrate": _golang_migrate,
    "Alembic": _alembic,
    "Flyway": _flyway,
    "Liquibase": _liquibase,
    "Sqitch": _sqitch,
}
