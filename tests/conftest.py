# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tiers share: processes that tests start find the collection where the tests do, and nothing is timed."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

# A loaded machine is no failure.
settings.register_profile("golive", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("golive")

TREE = Path(__file__).resolve().parents[1] / "build" / "collections"


def pytest_configure() -> None:
    """Make the tree of `tests/setup/run` when pytest is run by itself, and hand it to subprocesses."""
    link = TREE / "ansible_collections" / "golive" / "cutover"
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("../../../..")
    paths = [str(TREE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(TREE)
