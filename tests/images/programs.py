# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static programs from Go modules, each built once for its sources and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.build import compile_program, go_environment, toolchain
from tests.cluster.progress import part
from tests.cluster.record import cache_dir, locked

from .recipes import HTTPBIN, PROMETHEUS_MODULE, TESTS, VERSITYGW


@dataclass(frozen=True)
class Program:
    """Built from a folder with our sources, or from a public package at a version.

    Files of the folder ``over`` stand in place of those of ``source`` with the same names.
    """

    name: str
    source: Path | None = None
    over: Path | None = None
    package: str = ""
    version: str = ""

    def sources(self) -> list[Path]:
        """Files the binary depends on: tests and data beside them do not count."""
        folders = [folder for folder in (self.source, self.over) if folder]
        found = [
            path for folder in folders for path in sorted(folder.glob("*.go")) if not path.name.endswith("_test.go")
        ]
        found += [path for folder in folders for path in (folder / "go.mod", folder / "go.sum") if path.exists()]
        return list({path.name: path for path in found}.values())

    @property
    def key(self) -> str:
        content = hashlib.sha256(f"{self.package}@{self.version}".encode())
        for path in self.sources():
            content.update(path.name.encode() + b"\0" + path.read_bytes())
        return content.hexdigest()[:12]

    @property
    def path(self) -> Path:
        return cache_dir() / "programs" / f"{self.name}-{self.key}" / self.name


NOTES = Program("notes", source=TESTS / "app")
NOTES_SQLITE = Program("notes-sqlite", source=TESTS / "app", over=TESTS / "app" / "sqlite")
LOAD = Program("load", source=TESTS / "load")
KUBE_STATE = Program("kube-state-stand-in", source=TESTS / "kube_state")
HTTPBIN_SERVER = Program(
    "go-httpbin", package="github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin", version=f"v{HTTPBIN}"
)
# A real S3 server: conditional writes, versions and locks behave as documented by AWS.
VERSITYGW_SERVER = Program("versitygw", package="github.com/versity/versitygw/cmd/versitygw", version=f"v{VERSITYGW}")

# Checks and tests rules as Prometheus 3 reads them. Its module is large: the first build takes minutes.
PROMTOOL = Program("promtool", package="github.com/prometheus/prometheus/cmd/promtool", version=f"v{PROMETHEUS_MODULE}")


def ensure(*programs: Program) -> None:
    """Builds what is missing; module and build cache (some 300 MB) stay, the Go tests use them too."""
    if all(program.path.exists() for program in programs):
        return
    with locked(work_folder() / "lock"):
        for program in programs:
            if not program.path.exists():
                _build(program)


def work_folder() -> Path:
    return cache_dir() / "go-apps"


def _build(program: Program) -> None:
    with part(f"build {program.name}") as current:
        go = toolchain(current)
        folder = work_folder() / program.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        environment = go_environment(work_folder(), folder / "bin")
        flags = ["-v", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]
        made = folder / "bin" / program.name
        if program.source:
            for path in program.sources():
                shutil.copy(path, folder)
            command = [go, "build", *flags, "-o", str(made), "."]
        else:
            command = [go, "install", *flags, f"{program.package}@{program.version}"]
        compile_program(command, folder, environment, current)
        program.path.parent.mkdir(parents=True, exist_ok=True)
        partial = program.path.with_name(f".{program.name}.part")
        shutil.copy2(made, partial)
        os.replace(partial, program.path)
        current.detail = f"{program.path.stat().st_size / 1e6:.1f} MB"
