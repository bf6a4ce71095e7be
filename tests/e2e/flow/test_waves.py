# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two apps as one unit: the second waits for the first, and the first returns when the second fails."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import ROOT, Stage


def unit(stage: Stage, env: str, **front: Any) -> subprocess.CompletedProcess[str]:
    """Run the waves of `base` and then `front`; a new ``env`` makes a new release of both."""
    kept = ("ansible_connection", "ansible_python_interpreter", "app_namespace")
    shared = {name: stage.settings[name] for name in kept} | {
        "app_image": "golive.test/httpbin", "app_version": "2.26.0", "app_port": 8080, "app_ready_path": "/status/200",
        "golive_profile": "mvp", "app_env": {"RELEASE": env},
    }  # fmt: skip
    # By name, the second wave would come first.
    hosts = {"a-front": {**shared, "release_wave": 2, **front}, "b-base": {**shared, "release_wave": 1}}
    path = Path(stage.folder) / "unit.yml"
    path.write_text(yaml.safe_dump({"golive_apps": {"hosts": hosts}}))
    command = ["ansible-playbook", "-i", str(path), "playbooks/waves.yml"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=False)


def live(stage: Stage, app: str) -> str:
    """Colour in the live selector of an app."""
    found = json.loads(kubectl("-n", stage.namespace, "get", "service", app, "-o", "json"))
    return str(found["spec"]["selector"]["golive.cutover/colour"])


@pytest.mark.series
def test_all_or_none(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(exposed=False)
    kubectl("create", "namespace", stage.namespace)
    first = unit(stage, "one")
    assert first.returncode == 0, first.stdout + first.stderr
    assert (live(stage, "b-base"), live(stage, "a-front")) == ("blue", "blue")
    # The second wave began when the first one was over.
    said = first.stdout
    assert said.index("b-base: blue 2.26.0 is live") < said.index("a-front: release 2.26.0 goes live")

    never = {"name": "never", "kind": "http", "path": "/status/500", "tunnel": "{{ release_preview }}"}
    second = unit(stage, "two", release_gates=[never], release_verify_timeout=5)
    said = second.stdout + second.stderr
    assert second.returncode != 0, said
    assert "b-base: green 2.26.0 is live" in said
    assert "a-front failed, so that no app of this unit stays on its new release" in said
    assert (live(stage, "b-base"), live(stage, "a-front")) == ("blue", "blue")
