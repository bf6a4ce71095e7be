# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System packages by apt, installed only when missing, without starting their services."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .progress import ClusterError, Part, run
from .versions import PACKAGE_OTHERWISE, PACKAGES

POLICY = Path("/usr/sbin/policy-rc.d")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> list[str]:
    found = {package for program, package in PACKAGES.items() if not shutil.which(program, path=_path())}
    return sorted(found)


def install(current: Part, packages: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise ClusterError(f"these packages are missing and apt-get is not there: {' '.join(packages)}")
    current.detail = f"installing {' '.join(packages)}"
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run(["apt-get", "update", "-qq"], timeout=600)
    known = [name if _candidate(name) else PACKAGE_OTHERWISE.get(name, name) for name in packages]
    with _services_stay_down():
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *known], timeout=1200)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"


def _candidate(package: str) -> bool:
    return "Candidate: (none)" not in (run(["apt-cache", "policy", package]) or "Candidate: (none)")


@contextlib.contextmanager
def _services_stay_down() -> Iterator[None]:
    """Debian policy 9.3.3: exit code 101 of policy-rc.d keeps package scripts from starting services."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
