# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages for the flow tests: one that goes live once and is shared, and fresh ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import ROOT, Stage
from tests.e2e.node_ports import free_node_port


@pytest.fixture(scope="module")
def make_stage(programs: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stage]]:
    """Makes stages; their namespaces are removed when the module ends."""
    made: list[str] = []

    def make(exposed: bool = True, **settings: Any) -> Stage:
        namespace = f"golive-flow-{secrets.token_hex(3)}"
        made.append(namespace)
        local = yaml.safe_load((ROOT / "inventories/local/host_vars/notes.yml").read_text())
        shared = yaml.safe_load((ROOT / "inventories/local/group_vars/golive_apps.yml").read_text())
        # NodePorts are few: a stage that never goes live takes none.
        port = free_node_port() if exposed else 0
        own = {
            "app_namespace": namespace,
            "app_expose": {"node_port": port} if exposed else {},
            "release_probe_url": f"http://127.0.0.1:{port}/readyz" if exposed else "",
            "migrate_path": str(ROOT / "tests/app/migrations"),
            "migrate_target": "0001",
            "migrate_restore_dir": str(tmp_path_factory.mktemp("dumps")),
        }
        return Stage(
            tmp_path_factory.mktemp(namespace),
            namespace,
            port,
            programs["load"],
            {**shared, **local, **own, **settings},
        )

    yield make
    for namespace in made:
        kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found", check=False)


@pytest.fixture(scope="module")
def live(make_stage: Callable[..., Stage]) -> Stage:
    """A stage whose notes 1.0.0 is live with its PostgreSQL."""
    stage = make_stage()
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    return stage
