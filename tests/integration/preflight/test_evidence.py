# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other systems say keeps a release from beginning: everything at once, and nothing of it is a secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.both_ways.harness import PLAYBOOKS, Ran, run_plays
from tests.integration.postgres import free_port
from tests.integration.prometheus import Prometheus


@contextmanager
def _files(folder: Path) -> Iterator[str]:
    """The files of a folder, served on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def monitoring() -> Iterator[Prometheus]:
    server = Prometheus.create()
    yield server
    server.remove()


def _evidence(folder: Path, *arguments: str, **settings: Any) -> Ran:
    role = {"ansible.builtin.include_role": {"name": "golive.cutover.preflight", "tasks_from": "evidence"}}
    play = {"hosts": "all", "gather_facts": False, "vars": {"app_version": "2.4.2", **settings}, "tasks": [role]}
    return run_plays(PLAYBOOKS[-1], "inside", [play], folder, *arguments)


def _record(place: Path, hours: float, **members: str) -> Path:
    finished = datetime.now(timezone.utc) - timedelta(hours=hours)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"status": "success", "finished": finished.isoformat(), **members}))
    return place


def test_a_release_that_all_speak_for(tmp_path: Path, monitoring: Prometheus) -> None:
    _record(tmp_path / "served" / "ci.json", 1, version="2.4.2")
    backup = _record(tmp_path / "backup.json", 3)
    with _files(tmp_path / "served") as address:
        ran = _evidence(
            tmp_path / "run",
            preflight_ci={"url": f"{address}/ci.json", "headers": {"Authorization": "Bearer not-to-be-shown"}},
            preflight_backup={"file": str(backup)},
            preflight_staging_checks=[{"name": "staging", "kind": "http", "url": f"{address}/ci.json"}],
            preflight_prometheus_url=monitoring.url,
        )
    assert ran.code == 0, ran.out
    for told in ("CI result: 2.4.2, success, 1.0 h old", "Backup: success, 3.0 h old", "staging: ", "Prometheus: "):
        assert told in ran.out, ran.out
    assert "not-to-be-shown" not in ran.out


def test_all_that_speaks_against_it_is_told_at_once(tmp_path: Path, monitoring: Prometheus) -> None:
    ci = _record(tmp_path / "ci.json", 1, version="2.4.1", status="failed")
    down = f"http://127.0.0.1:{free_port()}"
    settings = {
        "preflight_ci": {"file": str(ci)},
        "preflight_backup": {"url": f"{down}/backup.json", "timeout": 2},
        "preflight_prometheus_url": monitoring.url,
        "preflight_alertmanager_url": down,
        "preflight_services_timeout": 2,
    }
    refused = _evidence(tmp_path / "run", **settings)
    assert refused.code != 0
    for told in (
        "CI result speaks against the release: it is of 2.4.1, not of 2.4.2, it is failed, not success or passed.",
        f"Backup cannot be read from {down}/backup.json",
        "Alertmanager: ",
    ):
        assert told in refused.out, refused.out
    planned = _evidence(tmp_path / "planned", "--check", **settings)
    assert planned.code == 0, planned.out
    assert "A run would be refused now: CI result speaks against the release" in planned.out


@pytest.mark.parametrize("text", ["not JSON", "[]"])
def test_a_record_that_is_none(tmp_path: Path, text: str) -> None:
    place = tmp_path / "backup.json"
    place.write_text(text)
    refused = _evidence(tmp_path / "run", preflight_backup={"file": str(place)})
    assert refused.code != 0
    assert "Backup " in refused.out, refused.out
