# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller of Argo Rollouts, built once from its Go module; only the bench needs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cluster.build import compile_program, go_environment, toolchain
from cluster.progress import ClusterError, part
from cluster.record import cache_dir, locked

# The newest of 1.10 that the toolchain of the cluster can build.
VERSION = "1.10.1"
MODULE = f"github.com/argoproj/argo-rollouts@v{VERSION}"


def is_built() -> bool:
    """Whether the program is in the cache."""
    return (_folder() / "complete").exists()


def controller() -> Path:
    """Path of the program; its CRDs lie beside it in ``crds``. Builds it first when it is not there (many minutes)."""
    if not is_built():
        with locked(cache_dir() / "go-argo.lock"):
            if not is_built():
                _build(_folder())
    return _folder() / "rollouts-controller"


def _folder() -> Path:
    return cache_dir() / "programs" / f"argo-rollouts-{VERSION}"


def _build(folder: Path) -> None:
    work = cache_dir() / "go-argo"
    environment = go_environment(work, work)
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    shutil.rmtree(folder, ignore_errors=True)
    with part(f"build argo-rollouts {VERSION}") as current:
        go = toolchain(current)
        # `go install` refuses a module with `replace` lines, so it is built from a copy of its source.
        fetched = subprocess.run(
            [go, "mod", "download", "-json", MODULE], check=False, cwd=work, env=environment, capture_output=True
        )
        if fetched.returncode:
            raise ClusterError(f"cannot fetch {MODULE}: {fetched.stdout.decode()[-300:]}")
        shutil.copytree(json.loads(fetched.stdout)["Dir"], source, dirs_exist_ok=True)
        flags = f"-s -w -X github.com/argoproj/argo-rollouts/utils/version.version=v{VERSION}"
        command = [go, "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-p", "1"]
        compile_program(
            [*command, "-o", "../rollouts-controller", "./cmd/rollouts-controller"], source, environment, current
        )
    folder.mkdir(parents=True)
    shutil.copytree(source / "manifests" / "crds", folder / "crds")
    shutil.copy2(work / "rollouts-controller", folder)
    (folder / "complete").touch()
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    os.nice(14)
    print(controller())
