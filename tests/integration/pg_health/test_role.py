# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point ``status`` of the role ``postgres``: all databases on one screen, and none of them ends it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.integration.pg_health.conftest import Watch
from tests.integration.postgres import free_port

ROLE = {"ansible.builtin.import_role": {"name": "golive.cutover.postgres", "tasks_from": "status"}}


def status(folder: Path, hosts: dict[str, dict[str, Any]], *arguments: str) -> tuple[list[str], str]:
    """The lines that were shown, and the whole output, of a play that must succeed and change nothing."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"vars": local, "hosts": hosts}}, sort_keys=False))
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [ROLE]}]))
    done = subprocess.run(
        ["ansible-playbook", "-i", str(folder / "hosts.yml"), str(folder / "play.yml"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith(("PG", "KUBECONFIG"))},
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "changed=0" in output
    assert "changed=1" not in output
    shown = output.partition('"msg": [')[2].partition("]\n")[0]
    return (json.loads(f"[{shown}]") if shown else []), output


def test_all_databases_on_one_screen(watch: Watch, tmp_path: Path) -> None:
    external = {"postgres_mode": "external", "postgres_host": "127.0.0.1", "postgres_secret": {"name": "shop-postgres"}}
    reach = {**watch.postgresql, "connect_timeout": 3}
    hosts = {
        # The first one has none: the screen is shown all the same.
        "bare": {"postgres_mode": "none"},
        # The role reads the password from a Secret; there is no cluster here.
        "shop": {**external, "postgres_health": {"postgresql": reach, "ignore": ["checksums_off"]}},
        "stock": {
            **external,
            "postgres_health": {
                "postgresql": reach,
                "thresholds": {"standbys": {"critical": 1}},
                "facts": ["standbys"],
            },
        },
        "away": {**external, "postgres_health": {"postgresql": {**reach, "port": free_port()}}},
        "wrong": {**external, "postgres_health": {"postgresql": reach, "facts": ["conections"]}},
        "cluster": {**external, "golive_kube": {"kubeconfig": str(tmp_path / "nowhere")}},
    }
    for arguments in ((), ("--check",)):
        lines, output = status(tmp_path, hosts, *arguments)
        assert watch.password not in output
        seen = {line.split()[0]: line.split(maxsplit=3)[1:] for line in lines}
        version = watch.server.connect().info.parameter_status("server_version").split()[0]
        assert list(seen) == ["APP", "shop", "stock", "away", "wrong", "cluster"], lines
        assert seen["shop"] == ["healthy", version, "Not known: disk_free."]
        assert seen["stock"][:2] == ["unhealthy", version]
        assert seen["stock"][2].startswith("Standbys that stream: 0 is below 1 (critical); none.")
        assert seen["away"][:2] == ["unhealthy", "-"]
        assert "refused" in seen["away"][2]
        assert seen["wrong"][:2] == ["unknown", "-"]
        assert "there is no fact 'conections'" in seen["wrong"][2]
        assert seen["cluster"][:2] == ["unknown", "-"]
        assert "kubeconfig" in seen["cluster"][2].lower()


def test_without_databases_nothing_is_shown(tmp_path: Path) -> None:
    lines, output = status(tmp_path, {"bare": {"postgres_mode": "none"}})
    assert lines == []
    assert "DATABASE" not in output
