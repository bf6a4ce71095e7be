# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each alert has its runbook and each runbook its alert, and what they tell to run is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import ALERTS, NAMES
from ansible_collections.golive.cutover.plugins.module_utils._monitor.guides import GUIDES
from tests.unit.monitor.pages import DOCS, commands, pages

ROOT = DOCS.parent
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
# What the reader fills in.
BLANKS = re.compile(
    "APP|NAMESPACE|COLOUR|VERSION|POD|JOB|CRONJOB|PID|SLOT|SCHEMA|TABLE|NAME|HOST|CACHEPOD|MONITORING|LOGGING"
    "|ALERTMANAGER|DATABASE"
)
SQL = re.compile(
    "SELECT|FROM|WHERE|AND|NOT|ORDER|BY|NULLS|LAST|LIMIT|AS|DESC|VACUUM|ANALYZE|FREEZE|VERBOSE|POSTGRES_USER"
)


def _options() -> set[str]:
    """Every variable that a role declares, and those that a playbook itself reads."""
    found: set[str] = set()
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
            found |= set(entry.get("options", {}))
    for path in (ROOT / "playbooks").glob("*.yml"):
        found |= set(re.findall(r"-e (\w+)=", path.read_text())) | set(
            re.findall(r"\{\{ (\w+) \| default", path.read_text())
        )
    return found


OPTIONS = _options()


def test_each_alert_has_one_runbook_and_each_runbook_one_alert() -> None:
    assert set(GUIDES) == set(NAMES)
    there = {path.stem for path in (DOCS / "runbooks").glob("*.md")} - {"README"}
    assert there == set(NAMES)


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_the_pages_say_what_the_catalogue_says(path: Path) -> None:
    assert path.read_text() == pages()[path], "run: tests/setup/run main python3 -m tests.unit.monitor.pages"


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_is_complete(name: str) -> None:
    guide = GUIDES[name]
    assert len(guide.first) >= 1
    assert len(guide.decide) >= 2
    assert guide.run
    for text in (guide.meaning, guide.impact, guide.verify, guide.escalate):
        assert text.endswith("."), text


@pytest.mark.parametrize("name", NAMES)
def test_commands_name_what_there_is(name: str) -> None:
    for command in commands(GUIDES[name]):
        words = shlex.split(command.replace("<<<", " "))
        assert words[0] in {"ansible-playbook", "kubectl", "curl", "openssl"}, command
        if words[0] == "ansible-playbook":
            (play,) = [word for word in words if word.startswith("golive.cutover.")]
            assert play.rpartition(".")[2] in PLAYBOOKS, command
            given = [words[place + 1].partition("=")[0] for place, word in enumerate(words) if word == "-e"]
            assert set(given) <= OPTIONS, command
        blanks = set(re.findall(r"(?<![\w-])[A-Z][A-Z_]+(?![\w=])", command))
        assert all(BLANKS.fullmatch(word) or SQL.fullmatch(word) for word in blanks), command


@pytest.mark.parametrize("name", NAMES)
def test_settings_and_other_alerts_that_a_runbook_names_exist(name: str) -> None:
    guide = GUIDES[name]
    text = " ".join([guide.meaning, guide.impact, *guide.first, *(part for pair in guide.decide for part in pair)])
    settings = re.findall(r"`((?:app|postgres|release|migrate)_\w+)", text)
    assert set(settings) <= OPTIONS, settings
    kinds = "|".join(sorted({re.sub(r"(?<=[a-z])[A-Z].*", "", alert.name) for alert in ALERTS}))
    named = set(re.findall(rf"\b(?:{kinds})[A-Z]\w+", text))
    foreign = {"ImagePullBackOff", "CreateContainerConfigError"}
    assert named - foreign <= set(NAMES), named
