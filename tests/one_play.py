# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play of a test's own, for roles that are tried without a playbook of theirs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

# Carries a SQLite file over, and shows how that went.
SQLITE_MOVE = (
    {"ansible.builtin.import_role": {"name": "golive.cutover.migrate", "tasks_from": "sqlite"}},
    {"ansible.builtin.debug": {"msg": "{{ migrate_sqlite_copied.rows }} rows are {{ migrate_sqlite_copied.state }}"}},
)


def one_play(
    tasks: Sequence[Mapping[str, Any]], folder: Path, password: str, settings: Mapping[str, Any], *arguments: str
) -> tuple[int, str]:
    """Number of changed tasks, and output, of a play that must succeed and never show ``password``."""
    file = folder / "play.yml"
    file.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
    all_settings = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **settings}
    done = subprocess.run(
        ["ansible-playbook", str(file), "-e", json.dumps(all_settings), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("PG")},
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert password not in output
    found = re.search(r"changed=(\d+)", output)
    assert found
    return int(found[1]), output
