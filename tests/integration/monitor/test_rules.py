# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the catalogue by promtool: they are valid, and each does what it says and nothing else."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._monitor.bounds import PROFILES
from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import ALERTS, RECORDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.render import groups
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import DATABASES, METRICS, settings_from
from tests.images.programs import PROMTOOL, ensure
from tests.integration.monitor.case import EVERYTHING
from tests.integration.monitor.promtool import CASES, RECORDED, run, write_case, write_record
from tests.integration.prometheus import promtool

# Without a series at all it fires, so that it cannot be quiet.
ALWAYS = "Watchdog"


def newest() -> Path:
    """promtool of Prometheus 3, built from its module. The first build takes minutes."""
    ensure(PROMTOOL)
    return PROMTOOL.path


VERSIONS = [
    pytest.param(promtool, id="distribution"),
    pytest.param(newest, id="newest", marks=pytest.mark.series),
]


def told(done: subprocess.CompletedProcess[str], files: int) -> None:
    """Every file was tested, and none failed."""
    failed = re.findall(r": +(\S+)\n+ +FAILED", done.stdout)
    assert done.returncode == 0, f"{failed}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.stdout.count("SUCCESS") == files


@pytest.mark.parametrize("program", VERSIONS)
def test_the_rules_of_every_profile_are_valid(program, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = []
    for profile, hypercare, database, metrics in itertools.product(PROFILES, (False, True), DATABASES, METRICS):
        wish = {"profile": profile, "hypercare": hypercare, "database": database, "metrics": metrics}
        found = groups(settings_from({**EVERYTHING, **wish, "cluster": "eu"}))
        files.append(tmp_path / f"{profile}-{hypercare}-{database}-{metrics}.yml")
        files[-1].write_text(json.dumps({"groups": found}))
    told(
        subprocess.run(
            [program(), "check", "rules", "--lint=all", "--lint-fatal", *files],
            capture_output=True,
            text=True,
            check=False,
        ),
        len(files),
    )


@pytest.mark.parametrize("program", VERSIONS)
def test_each_alert_fires_and_stays_quiet(program, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = [
        write_case(tmp_path, f"{number:03d}-{case.alert}-{'fires' if case.fires else 'quiet'}", case)
        for number, case in enumerate(CASES)
    ]
    told(run(program(), files), len(files))


@pytest.mark.parametrize("program", VERSIONS)
def test_each_record_has_its_value(program, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = [
        write_record(tmp_path, f"{number:03d}-{case.record.replace(':', '-')}", case)
        for number, case in enumerate(RECORDED)
    ]
    told(run(program(), files), len(files))


def test_no_rule_is_without_its_tests() -> None:
    for fires in (True, False):
        tested = {(case.alert, case.fault) for case in CASES if bool(case.fires) is fires}
        missing = {(alert.name, alert.fault) for alert in ALERTS} - tested
        assert missing == (set() if fires else {(ALWAYS, "")})
    assert {record.name for record in RECORDS} - {case.record for case in RECORDED} == {"golive_expected_job"}
