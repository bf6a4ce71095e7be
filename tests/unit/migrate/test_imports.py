# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who migrates a database directly does not wait for the library of Kubernetes to be imported."""

from __future__ import annotations

import subprocess
import sys

from tests.unit.house.layout import PREFIX

VERBS = [f"{PREFIX}modules.{name}" for name in ("db_migrate", "db_migrate_info", "db_migrate_lint", "pg_health")]
SCRIPT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sorted(sys.modules))"


def test_the_cluster_comes_in_only_when_it_is_reached() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *VERBS], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert set(VERBS) <= loaded
    assert not {"kubernetes", "urllib3", "websocket"} & loaded
