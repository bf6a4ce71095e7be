# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other tools, each started as its documentation says, on its own kind of files."""

from __future__ import annotations

import os
from collections.abc import Callable

from tests.bench.migrate import corpus
from tests.bench.migrate.contenders import Contender
from tests.bench.migrate.programs import (
    FLYWAY,
    GOLANG_MIGRATE,
    GOOSE,
    LIQUIBASE,
    go_program,
    java_program,
    own_program,
    packages,
    version_of,
)
from tests.integration.postgres import PASSWORD, SUPERUSER, Server

# Each raises NotHadError when its program cannot be had.
Peer = Callable[[Server], Contender]


def goose(_server: Server) -> Contender:
    """goose up."""
    return Contender(
        f"goose {GOOSE.version}",
        corpus.goose,
        (go_program(GOOSE), "-dir", ".", "up"),
        {"GOOSE_DRIVER": "postgres", "GOOSE_DBSTRING": f"postgres://{SUPERUSER}@{{url}}?sslmode=disable"},
    )


def golang_migrate(_server: Server) -> Contender:
    """migrate up."""
    url = f"postgres://{SUPERUSER}@{{url}}?sslmode=disable"
    return Contender(
        f"golang-migrate {GOLANG_MIGRATE.version}",
        corpus.golang_migrate,
        (go_program(GOLANG_MIGRATE), "-path", ".", "-database", url, "up"),
    )


def flyway(_server: Server) -> Contender:
    """Flyway's migrate, through its API."""
    return Contender(
        f"Flyway {FLYWAY.version}",
        corpus.flyway,
        java_program(FLYWAY),
        {
            "FLYWAY_URL": "jdbc:postgresql://{url}",
            "FLYWAY_USER": SUPERUSER,
            "FLYWAY_PASSWORD": PASSWORD,
            "FLYWAY_LOCATIONS": "filesystem:.",
        },
    )


def liquibase(_server: Server) -> Contender:
    """liquibase update."""
    return Contender(
        f"Liquibase {LIQUIBASE.version}",
        corpus.liquibase,
        (*java_program(LIQUIBASE), "update", "--changelog-file=changelog.yaml"),
        {
            "LIQUIBASE_COMMAND_URL": "jdbc:postgresql://{url}",
            "LIQUIBASE_COMMAND_USERNAME": SUPERUSER,
            "LIQUIBASE_COMMAND_PASSWORD": PASSWORD,
            "LIQUIBASE_SEARCH_PATH": "{folder}",
            "LIQUIBASE_ANALYTICS_ENABLED": "false",
        },
    )


def sqitch(server: Server) -> Contender:
    """sqitch deploy, with the server's own psql like the loop."""
    packages("sqitch", "libdbd-pg-perl", programs=("sqitch",))
    return Contender(
        f"Sqitch {version_of('sqitch', '--version')}",
        corpus.sqitch,
        ("sqitch", "deploy"),
        {
            "PATH": f"{server.bin}:{os.environ['PATH']}",
            "SQITCH_USERNAME": SUPERUSER,
            "SQITCH_FULLNAME": "bench",
            "SQITCH_EMAIL": "bench@example.org",
        },
    )


def alembic(_server: Server) -> Contender:
    """alembic upgrade head, in the one transaction that is its default."""
    program = own_program("alembic")
    return Contender(
        f"Alembic {version_of(program, '--version')}",
        corpus.alembic,
        (program, "upgrade", "head"),
        {"ALEMBIC_URL": f"postgresql+psycopg2://{SUPERUSER}@{{url}}"},
    )


PEERS: dict[str, Peer] = {
    "goose": goose,
    "golang-migrate": golang_migrate,
    "Alembic": alembic,
    "Flyway": flyway,
    "Liquibase": liquibase,
    "Sqitch": sqitch,
}
