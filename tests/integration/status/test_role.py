# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role looks at a real server on loopback, which works, answers with errors, and is gone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.integration.gate.loopback import good, serving

ROOT = Path(__file__).resolve().parents[3]


def _look(folder: Path, url: str) -> dict[str, Any]:
    """What the page says of the app after one more run of the playbook."""
    shop = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "app_ready_path": "/notes",
        "status_page_url": url,
        "status_page_output": str(folder / "status"),
        "status_page_timeout": 2,
    }
    hosts = folder / "hosts.json"
    hosts.write_text(json.dumps({"golive_apps": {"hosts": {"shop": shop}}}))
    done = subprocess.run(
        ["ansible-playbook", "-i", str(hosts), "playbooks/status_page.yml"],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(folder / "nowhere")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (component,) = json.loads((folder / "status" / "status.json").read_text())["components"]
    return dict(component)


def test_it_works_then_does_not(tmp_path: Path) -> None:
    with serving(good) as url:
        base = url.removesuffix("/notes")
        assert _look(tmp_path, base)["up"] is True
    with serving(lambda _number: (500, 0.0)) as url:
        assert _look(tmp_path, url.removesuffix("/notes"))["up"] is False
    # Nobody listens there any more.
    last = _look(tmp_path, base + "/")
    assert (last["up"], last["uptime"], len(last["outages"])) == (False, 33.333, 1)
