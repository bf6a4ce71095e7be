# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same migrations as files of every tool; each writer gets a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

# One table is made by four migrations.
_STEPS = (
    """CREATE TABLE {table} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
""",
    "ALTER TABLE {table} ADD COLUMN note text NOT NULL DEFAULT '';\n",
    "CREATE INDEX {table}_name ON {table} (name);\n",
    "INSERT INTO {table} (name) VALUES ('a'), ('b'), ('c');\n",
)
_DATE = "2026-01-01T00:00:00Z"
_ALEMBIC_ENV = """
import os

from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ["ALEMBIC_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_STATEMENT = '    op.execute("""{text}""")\n'
_ALEMBIC_REVISION = """
from alembic import op

revision = "{number}"
down_revision = {before}


def upgrade():
{body}

def downgrade():
    pass
"""

Writer = Callable[[Path, Sequence[str]], None]


def migrations(count: int) -> list[str]:
    """``count`` small migrations: a table, a column, an index, three rows, and so on."""
    return [_STEPS[number % len(_STEPS)].format(table=_table(number)) for number in range(count)]


def expected(count: int) -> tuple[int, int]:
    """How many tables and indexes there are once ``count`` migrations have run; a primary key is an index."""
    tables = -(-count // len(_STEPS))
    return tables, tables + (count + 1) // len(_STEPS)


def _table(number: int) -> str:
    return f"item_{number // len(_STEPS) + 1:04}"


def native(folder: Path, texts: Sequence[str]) -> None:
    """Ours, and what psql reads."""
    _each(folder, texts, "{number}_step.sql", "{text}")


def goose(folder: Path, texts: Sequence[str]) -> None:
    """One file a version, cut by annotations."""
    _each(folder, texts, "{number}_step.sql", "-- +goose Up\n{text}")


def golang_migrate(folder: Path, texts: Sequence[str]) -> None:
    """One file a direction."""
    _each(folder, texts, "{number}_step.up.sql", "{text}")


def flyway(folder: Path, texts: Sequence[str]) -> None:
    """Versioned migrations."""
    _each(folder, texts, "V{number}__step.sql", "{text}")


def liquibase(folder: Path, texts: Sequence[str]) -> None:
    """Formatted SQL in a folder that the changelog includes as a whole."""
    changes = folder / "changes"
    changes.mkdir()
    _each(changes, texts, "{number}_step.sql", "--liquibase formatted sql\n--changeset bench:{number}\n{text}")
    folder.joinpath("changelog.yaml").write_text(
        "databaseChangeLog:\n  - includeAll: {path: changes, relativeToChangelogFile: true}\n"
    )


def sqitch(folder: Path, texts: Sequence[str]) -> None:
    """A plan, and a deploy script for each of its changes."""
    folder.joinpath("deploy").mkdir()
    folder.joinpath("sqitch.conf").write_text('[core]\n\tengine = pg\n[engine "pg"]\n\ttarget = db:pg:\n')
    folder.joinpath("sqitch.plan").write_text("%syntax-version=1.0.0\n%project=bench\n\n")
    for number, text in enumerate(texts, 1):
        sqitch_change(folder, number, f"BEGIN;\n{text}COMMIT;\n")


def sqitch_change(folder: Path, number: int, script: str) -> None:
    """One more change of the plan."""
    folder.joinpath("deploy", f"step_{number:04}.sql").write_text(script)
    with folder.joinpath("sqitch.plan").open("a") as plan:
        plan.write(f"step_{number:04} {_DATE} bench <bench@example.org> # step\n")


def alembic(folder: Path, texts: Sequence[str]) -> None:
    """Revisions, one behind the other, and an environment as ``alembic init`` makes it, without logging."""
    folder.joinpath("versions").mkdir()
    folder.joinpath("env.py").write_text(_ALEMBIC_ENV)
    folder.joinpath("alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    for number, text in enumerate(texts, 1):
        alembic_revision(folder, number, ALEMBIC_STATEMENT.format(text=text))


def alembic_revision(folder: Path, number: int, body: str) -> None:
    """One more revision; ``body`` is that of its ``upgrade``."""
    before = f'"{number - 1:04}"' if number > 1 else None
    revision = _ALEMBIC_REVISION.format(number=f"{number:04}", before=before, body=body)
    folder.joinpath("versions", f"{number:04}_step.py").write_text(revision)


def _each(folder: Path, texts: Sequence[str], name: str, form: str) -> None:
    for number, text in enumerate(texts, 1):
        values = {"number": f"{number:04}", "text": text}
        folder.joinpath(name.format(**values)).write_text(form.format(**values))
