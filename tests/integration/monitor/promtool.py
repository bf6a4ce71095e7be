# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``promtool test rules`` over many cases in one process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.integration.monitor import cases_records
from tests.integration.monitor.case import Case, Rule, Series, file_of, rule_of, rules_of, seconds, strangers
from tests.integration.monitor.cases_app import CASES as APP
from tests.integration.monitor.cases_database import CASES as DATABASE
from tests.integration.monitor.cases_rest import CASES as REST

CASES = (*APP, *DATABASE, *REST)
RECORDED = cases_records.CASES


def decoys(case: Case) -> list[Series]:
    """For a quiet case, what makes its alert fire, but of somebody else."""
    if case.fires:
        return []
    same = [one for one in CASES if (one.alert, one.fault, one.settings) == (case.alert, case.fault, case.settings)]
    there = {name for name, _values in case.series}
    firing = next((one for one in same if one.fires and one.step == case.step), None)
    return [pair for pair in strangers(firing.series) if pair[0] not in there] if firing else []


def write(folder: Path, name: str, rules: Sequence[Rule], tests: dict[str, Any]) -> Path:
    """The two files of a test; JSON is YAML. Returns the one that promtool is given."""
    (folder / f"{name}.rules.yml").write_text(json.dumps({"groups": [{"name": "tested", "rules": list(rules)}]}))
    place = folder / f"{name}.yml"
    place.write_text(json.dumps({"rule_files": [f"{name}.rules.yml"], **tests}))
    return place


def write_case(folder: Path, name: str, case: Case, rule: Rule | None = None) -> Path:
    """The files of a case, with an altered rule where one is given."""
    own = rule_of(case)
    return write(folder, name, [rule or own], file_of(case, own, seconds(own), decoys(case)))


def run(program: Path, files: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """One process for all files; its exit code is 0 when every test passed."""
    return subprocess.run([program, "test", "rules", *files], capture_output=True, text=True, check=False)


def write_record(folder: Path, name: str, case: cases_records.Recorded, rule: Rule | None = None) -> Path:
    """The files of a test of a record, with an altered rule where one is given."""
    own = next(one for one in rules_of(case.settings) if one.get("record") == case.record)
    return write(folder, name, [rule or own], cases_records.file_of(case, own))
