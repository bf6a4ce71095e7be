# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing library is an error of the task that needs it, never of the run: action files import without it.

An exception while an action file is imported ends ansible-playbook without rescue, always or recap.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.unit.house.layout import PREFIX, imports, names, sources

# What ansible-core itself cannot run without.
OF_CORE = {"ansible", "ansible_collections", "jinja2", "markupsafe", "packaging", "yaml"}
LIBRARIES = sorted(
    {name.partition(".")[0] for path in sources().values() for name in imports(path)}
    - set(sys.stdlib_module_names)
    - OF_CORE
)
IMPORT_ALL = """
import importlib, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ImportError("made unimportable: " + name)

sys.meta_path.insert(0, Missing())
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


@pytest.mark.parametrize("library", LIBRARIES)
def test_action_files_survive_without(library: str) -> None:
    files = [f"{PREFIX}action.{name}" for name in sorted(names("action"))]
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, library, *files], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_libraries_are_known() -> None:
    """A new library goes into requirements.txt and the execution environment first, then here."""
    brought_by_kubernetes = {"urllib3", "websocket"}
    brought_by_apprise = {"requests"}
    ours = {"apprise", "botocore", "cryptography", "kubernetes", "psycopg2", "pyrage"}
    # The image of the exporter has it; no verb needs it.
    in_a_pod = {"prometheus_client"}
    assert set(LIBRARIES) <= {*ours, *brought_by_kubernetes, *brought_by_apprise, *in_a_pod}
