# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of a verb in roles, playbooks and scenarios fits the verb's SPEC (ansible-lint skips these)."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

from tests.unit.spec_check.rules import Collection, findings
from tests.unit.spec_check.sources import verb_calls, yaml_files

ROOT = Path(__file__).resolve().parents[3]
MODULES = "ansible_collections.golive.cutover.plugins.modules"


def _collection() -> Collection:
    names = sorted(path.stem for path in (ROOT / "plugins/modules").glob("[a-z]*.py"))
    specs = {name: importlib.import_module(f"{MODULES}.{name}").SPEC for name in names}
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    # An entry that is a mapping is metadata of the group.
    return Collection(specs, {group: [verb for verb in verbs if verb in specs] for group, verbs in groups.items()})


def test_every_verb_is_in_the_group_all() -> None:
    known = _collection()
    assert sorted(known.groups["all"]) == sorted(known.specs)


@pytest.mark.parametrize("file", yaml_files(ROOT), ids=lambda path: str(path.relative_to(ROOT)))
def test_arguments(file: Path) -> None:
    known = _collection()
    found = [line for call in verb_calls(file) for line in findings(call, known)]
    assert not found, "\n".join(["", *found])
