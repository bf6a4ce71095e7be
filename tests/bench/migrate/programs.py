# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the peers: versions are pinned, each is brought once into the cache of the tests.

Go programs are built from their modules, jars come through Maven, the rest is packages of Debian or of the tests' own
Python environment.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.build import Program, build_all
from tests.cluster.progress import ClusterError
from tests.cluster.record import cache_dir, locked

ROOT = Path(__file__).resolve().parents[3]
GOOSE = Program(
    "goose",
    "3.30.0",
    "-X main.version=v3.30.0",
    module="github.com/pressly/goose/v3/cmd/goose@v3.30.0",
    # Only the drivers of other databases are left out.
    tags="no_clickhouse,no_libsql,no_mssql,no_mysql,no_spanner,no_sqlite3,no_vertica,no_ydb",
)
GOLANG_MIGRATE = Program(
    "migrate",
    "4.20.1",
    "-X main.Version=4.20.1",
    module="github.com/golang-migrate/migrate/v4/cmd/migrate@v4.20.1",
    tags="postgres",
)


class NotHadError(Exception):
    """Why a peer cannot be had on this machine, in one line."""


@dataclass(frozen=True)
class Java:
    """A program made of artefacts of Maven, each ``group:name:version``; ``source`` is its main class where the
    artefacts bring none."""

    name: str
    version: str
    main: str
    artefacts: tuple[str, ...]
    source: Path | None = None

    @property
    def folder(self) -> Path:
        """Where its jars lie in the cache."""
        own = self.source.read_bytes() if self.source else b""
        key = hashlib.sha256(",".join(self.artefacts).encode() + own).hexdigest()[:10]
        return cache_dir() / "programs" / f"{self.name}-{self.version}-{key}"


POSTGRESQL_DRIVER = "org.postgresql:postgresql:42.7.14"
FLYWAY = Java(
    "flyway",
    "13.12.0",
    # Its command line depends on a driver for every database there is, and not all of them are to be had.
    "FlywayMigrate",
    (
        "org.flywaydb:flyway-core:13.12.0",
        "org.flywaydb:flyway-database-postgresql:13.12.0",
        "tools.jackson.core:jackson-databind:3.1.8",
        POSTGRESQL_DRIVER,
    ),
    Path(__file__).parent / "java" / "FlywayMigrate.java",
)
LIQUIBASE = Java(
    "liquibase",
    # The last one with an open-source licence.
    "4.33.0",
    "liquibase.integration.commandline.LiquibaseCommandLine",
    ("org.liquibase:liquibase-core:4.33.0", "info.picocli:picocli:4.7.7", POSTGRESQL_DRIVER),
)
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>golive.test</groupId>
  <artifactId>{name}</artifactId>
  <version>1</version>
  <dependencies>{dependencies}</dependencies>
</project>
"""


def go_program(program: Program) -> str:
    """Its path; built first when it is not there (minutes). Raises NotHadError."""
    try:
        build_all((program,))
    except ClusterError as error:
        raise NotHadError(str(error)) from error
    return str(program.path)


def java_program(program: Java) -> list[str]:
    """The command that starts it. Raises NotHadError."""
    folder = program.folder
    with locked(cache_dir() / "maven-work.lock"):
        if not (folder / "complete").exists():
            packages("maven", "default-jdk-headless", programs=("mvn", "java", "javac"))
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _fetch(program, folder)
            if program.source:
                _compile(program.source, folder)
            (folder / "complete").touch()
    return ["java", "-cp", f"{folder}:{folder}/*", program.main]


def _fetch(program: Java, folder: Path) -> None:
    work = cache_dir() / "maven-work"
    work.mkdir(exist_ok=True)
    (work / "pom.xml").write_text(
        _POM.format(name=program.name, dependencies="".join(_dependency(one) for one in program.artefacts))
    )
    command = ["mvn", "-B", "-q", "-f", work / "pom.xml", f"-Dmaven.repo.local={work / 'repository'}", _COPY]
    try:
        done = subprocess.run(
            [*command, f"-DoutputDirectory={folder}"], capture_output=True, text=True, check=False, timeout=900
        )
    except subprocess.TimeoutExpired as error:
        raise NotHadError("Maven gave no answer in 900 s") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if done.returncode:
        first = next((line for line in done.stdout.splitlines() if "ERROR" in line), f"exit code {done.returncode}")
        raise NotHadError(f"Maven: {first.removeprefix('[ERROR] ')[:200]}")


def _compile(source: Path, folder: Path) -> None:
    command = ["javac", "-cp", f"{folder}/*", "-d", folder, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise NotHadError(f"javac {source.name}: {done.stderr.strip()[:200]}")


def _dependency(artefact: str) -> str:
    group, name, version = artefact.split(":")
    text = f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>"
    return f"<dependency>{text}</dependency>"


def packages(*names: str, programs: tuple[str, ...]) -> None:
    """Install packages of the system unless ``programs`` are there already. Raises NotHadError."""
    if all(shutil.which(program) for program in programs):
        return
    done = subprocess.run(
        [ROOT / "tests" / "setup" / "packages", *names], stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NotHadError(f"packages {', '.join(names)}: {said[-1][:200]}")


def own_program(name: str) -> str:
    """A program of the Python environment that runs the bench. Raises NotHadError."""
    path = Path(sys.executable).parent / name
    if not os.access(path, os.X_OK):
        raise NotHadError(f"{name} is not in the Python environment of the tests")
    return str(path)


def version_of(*command: str) -> str:
    """The version number that a program tells of itself. Raises NotHadError."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    if done.returncode or not found:
        raise NotHadError(f"{Path(command[0]).name} does not tell its version")
    return found[0]
