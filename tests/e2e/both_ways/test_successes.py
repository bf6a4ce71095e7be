# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verbs that succeed on the real cluster give the same result both ways; more cases go into ``_cases``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.e2e.conftest import kubectl

TEXT = "{{ {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'x'}, 'data': {'k': value}} | to_json }}"


def _cases(namespace: str) -> dict[str, Any]:
    options = {"content": TEXT, "namespace": namespace, "set": "both", "prune": True}
    apply = {"golive.cutover.kube_apply": options, "vars": {"value": "one"}, "diff": True}
    quartet = [{**apply, "check_mode": True}, apply, {**apply, "check_mode": True}, apply]
    return {
        "apply": [{"name": "apply", **task} for task in quartet],
        "change": {**apply, "vars": {"value": "two"}},
        # The second way finds the namespace as the first one did.
        "remove": {**apply, "golive.cutover.kube_apply": {**options, "state": "absent"}},
    }


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_same_success(executable: str, namespace: str, tmp_path: Path) -> None:
    inside, _module = assert_same(executable, _cases(namespace), tmp_path)
    assert {one["event"] for one in inside.events} == {"ok"}
    assert [one["result"]["changed"] for one in inside.of("apply")] == [True, True, False, False]
    assert kubectl("get", "configmap", "-n", namespace, "-l", "golive.cutover/set=both", "-o", "name") == ""
