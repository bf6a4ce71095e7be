# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports point downwards: action, modules, one capability, _reach, _kube and _pg, _core (design, section 3)."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from tests.unit.house.layout import imports, names, own_imports, sources

SOURCES = sources()
FIRST_FLOOR = {"_kube", "_pg"}
# What joins the two: a database behind the cluster.
SECOND_FLOOR = {"_reach"}
SHARED = {*FIRST_FLOOR, *SECOND_FLOOR, "_core"}
PROBER = "module_utils._gate.prober"


def package(name: str) -> str:
    """The floor or room of a file: `_kube` of `module_utils._kube.client`, else the kind of plugin."""
    parts = name.split(".")
    return parts[1] if parts[0] == "module_utils" and len(parts) > 1 else parts[0]


CAPABILITIES = {package(name) for name in SOURCES if name.startswith("module_utils._")} - SHARED


def allowed(name: str, target: str) -> bool:
    """Whether the file may import the other one."""
    here, there = package(name), package(target)
    if here == there and here.startswith("_"):
        return True
    if here == "_core":
        return False
    if here in FIRST_FLOOR:
        return there == "_core"
    if here in SECOND_FLOOR:
        return there in {*FIRST_FLOOR, "_core"}
    if here in CAPABILITIES:
        return there in SHARED or (here == "_traffic" and target == PROBER)
    if here == "modules":
        return there in {*CAPABILITIES, *SHARED}
    if here == "action":
        own_verb = target == f"modules.{name.rpartition('.')[2]}"
        return own_verb or there in {"plugin_utils", "_core"}
    if here == "filter":
        # Like a module it may offer what one capability knows, where a role needs it without a task.
        return there in {"plugin_utils", "_core", *CAPABILITIES}
    return there in {"plugin_utils", "_core"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_imports_point_down(name: str) -> None:
    upwards = sorted(target for target in own_imports(SOURCES[name], SOURCES) if not allowed(name, target))
    assert not upwards, f"{name} must not import {upwards}"


@pytest.mark.parametrize("name", sorted(names("modules")))
def test_a_module_stands_on_one_capability(name: str) -> None:
    used = {package(target) for target in own_imports(SOURCES[f"modules.{name}"], SOURCES)} & CAPABILITIES
    assert len(used) <= 1, f"{name} uses {sorted(used)}"


def test_no_import_circle() -> None:
    graph = {name: own_imports(path, SOURCES) - {name} for name, path in SOURCES.items()}
    TopologicalSorter(graph).prepare()


def test_ansible_module_stays_out_of_module_utils() -> None:
    guilty = sorted(
        name
        for name, path in SOURCES.items()
        if name.startswith("module_utils.") and "ansible.module_utils.basic.AnsibleModule" in imports(path)
    )
    assert not guilty


def test_nothing_sleeps() -> None:
    guilty = sorted(name for name, path in SOURCES.items() if "time.sleep" in path.read_text(encoding="utf-8"))
    assert not guilty, "waits go through _core/waiting.py"


def test_every_capability_is_used() -> None:
    used = {package(target) for path in SOURCES.values() for target in own_imports(path, SOURCES)}
    assert used >= CAPABILITIES
