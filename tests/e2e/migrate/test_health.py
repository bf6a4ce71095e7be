# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of a database in a pod: through the tunnel, with the room on its volume, and when no pod is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.filter.pg_health_checks import pg_health_checks
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import health_gate, pg_health
from tests.e2e.conftest import kubectl
from tests.e2e.migrate.conftest import NAME, Stand


def look(stand: Stand, **options: Any) -> dict[str, Any]:
    """Run ``pg_health``."""
    defaults = {name: option.get("default") for name, option in pg_health.SPEC["argument_spec"].items()}
    reach = {name: stand.params()[name] for name in ("postgresql", "tunnel")}
    return pg_health.run(call_for_tests({**defaults, **reach, **options}))


def test_the_pod_tells_the_room_on_its_volume(stand: Stand) -> None:
    found = look(stand, ignore=["checksums_off"], thresholds={"disk_free": {"warning": 0, "critical": 0}})
    assert (found["verdict"], found["unknown"]) == ("healthy", []), found["reasons"]
    (disk,) = [row for row in found["facts"] if row["name"] == "disk_free"]
    asked = ("exec", "-n", stand.namespace, f"deploy/{NAME}", "--", "sh", "-c", 'df -Pk "$PGDATA"')
    size, _used, free = map(int, kubectl(*asked).splitlines()[-1].split()[1:4])
    # Others write to the same disk.
    assert disk["value"] == pytest.approx(free / size, abs=0.05)
    assert stand.password not in json.dumps(found)


def test_a_service_without_a_pod_is_unhealthy(stand: Stand) -> None:
    nobody = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "nobody"},
        "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 5432}]},
    }
    kubectl("apply", "-n", stand.namespace, "-f", "-", stdin=json.dumps(nobody))
    away: dict[str, Any] = {
        "tunnel": {"namespace": stand.namespace, "service": "nobody"},
        "postgresql": {**stand.params()["postgresql"], "connect_timeout": 1},
    }
    found = look(stand, **away)
    assert (found["verdict"], found["reachable"]) == ("unhealthy", False)
    assert "no pod is ready" in found["reasons"][0]
    with pytest.raises(GoliveError) as caught:
        look(stand, **away, fail_on="unhealthy")
    assert caught.value.code == "unhealthy"


def test_a_missing_secret_is_an_error(stand: Stand) -> None:
    postgresql = {**stand.params()["postgresql"], "password_secret": {"name": "nowhere", "key": "password"}}
    with pytest.raises(GoliveError) as caught:
        look(stand, postgresql=postgresql)
    assert caught.value.code == "not_found"


def test_a_gate_asks_through_the_tunnel(stand: Stand) -> None:
    params = stand.params()
    checks = pg_health_checks(
        ["connections", "invalid_indexes"], params["postgresql"], params["tunnel"], fails_at="warning"
    )
    defaults = {name: option.get("default") for name, option in health_gate.SPEC["argument_spec"].items()}
    gate = health_gate.run(
        call_for_tests({**defaults, "checks": checks, "consecutive": 1, "interval": 0.1, "timeout": 20})
    )
    assert gate["verdict"] == "pass"
