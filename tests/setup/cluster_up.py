# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the test cluster up with all test images loaded; does nothing that is already done."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from python_env import REPOSITORY

CLUSTER = REPOSITORY / "tests" / "cluster" / "cluster"
IMAGES = REPOSITORY / "tests" / "images" / "build"


def cluster_up() -> int:
    """Exit code of the first step that failed, else 0."""
    code = subprocess.run([str(CLUSTER), "up"], cwd=REPOSITORY, check=False).returncode
    if code:
        return code
    built = subprocess.run([str(IMAGES), "--manifest"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        return built.returncode
    manifest = json.loads(Path(built.stdout.strip()).read_text(encoding="utf-8"))
    archives = list(dict.fromkeys(image["archive"] for image in manifest["images"].values()))
    return subprocess.run([str(CLUSTER), "load", *archives], cwd=REPOSITORY, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(cluster_up())
