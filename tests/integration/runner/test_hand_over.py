# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is not plain and local goes to the module path, and says why at -vvv."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.both_ways.harness import Ran, play_of, run_plays
from tests.integration.runner.cases import SECRET, probe

OTHER_PYTHON = {"ansible_python_interpreter": "{{ playbook_dir }}/python"}
# Task, and the reason it must give; None stays in process.
SHAPES: dict[str, tuple[dict[str, Any], str | None]] = {
    "plain": ({}, None),
    "full name of the connection": ({"vars": {"ansible_connection": "ansible.builtin.local"}}, None),
    "discovered interpreter": ({"vars": {"ansible_python_interpreter": "auto_silent"}}, None),
    "delegated to localhost": ({"delegate_to": "localhost"}, None),
    "async with polling": ({"async": 20, "poll": 1}, "async"),
    "connection": ({"vars": {"ansible_connection": "golive.probe.elsewhere"}}, "connection golive.probe.elsewhere"),
    "another interpreter": ({"vars": OTHER_PYTHON}, "interpreter "),
    "delegated to a host that is not local": ({"delegate_to": "elsewhere"}, "connection golive.probe.elsewhere"),
}
if os.geteuid() == 0:
    SHAPES["become"] = ({"become": True, "become_method": "ansible.builtin.su"}, "become")
    SHAPES["become by variable"] = ({"vars": {"ansible_become": True, "ansible_become_method": "su"}}, "become")


# From a host that is not local to the controller.
BACK = "back from elsewhere"


@pytest.fixture(scope="module")
def ran(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """All shapes in one run."""
    folder = tmp_path_factory.mktemp("hand_over")
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{Path(executable).parent}/python" "$@"\n')
    python.chmod(0o755)
    cases = {name: {**probe(name="x", token=SECRET), **keywords} for name, (keywords, _reason) in SHAPES.items()}
    there = {"name": "elsewhere", "ansible_connection": "golive.probe.elsewhere", **OTHER_PYTHON}
    back = play_of({BACK: {**probe(name="x", token=SECRET), "delegate_to": "localhost"}})
    plays = [
        {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.add_host": there}]},
        {**play_of(cases), "hosts": "shop"},
        {**back, "hosts": "elsewhere"},
    ]
    return run_plays(executable, "inside", plays, folder, "-vvv")


@pytest.mark.parametrize("shape", [*SHAPES, BACK])
def test_the_way_and_its_reason(ran: Ran, shape: str) -> None:
    (part,) = re.findall(rf"^TASK \[{re.escape(shape)}\] .*?(?=^TASK|^PLAY)", ran.out, re.MULTILINE | re.DOTALL)
    found = re.search(r"runs as a module: (.*)$", part, re.MULTILINE)
    reason = SHAPES[shape][1] if shape in SHAPES else None
    assert (found is None) if reason is None else (found is not None and found[1].startswith(reason)), part


@pytest.mark.parametrize("shape", [*SHAPES, BACK])
def test_the_same_result(ran: Ran, shape: str) -> None:
    expected, result = ran.result("plain"), ran.result(shape)
    assert result["params"] == expected["params"], ran.out
    assert result["yes"] is True


def test_no_secret_at_vvv(ran: Ran) -> None:
    assert SECRET not in ran.out
