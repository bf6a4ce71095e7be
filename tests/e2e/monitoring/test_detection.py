# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of each kind, injected for real, and how soon the message of each is at the receiver, and that of its end.

``docs/alerts.md`` has the figures. Each test makes one fault, waits for the alert, mends it, and waits for the end.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.monitoring.conftest import MOST_AGE_S
from tests.e2e.monitoring.receiver import Message, messages, refuse
from tests.e2e.monitoring.small_volume import SmallVolume
from tests.e2e.traffic.stand import until

pytestmark = [pytest.mark.series, pytest.mark.alone]
# What people may wait for, and what a repair may take: an alert that looks back for minutes ends later.
_DETECTED_S, _RESOLVED_S = 300, 480
GATE = {"name": "nowhere", "kind": "http", "path": "/not-there", "tunnel": "{{ release_preview }}"}


def came(stage: Stage, name: str, status: str, since: float, limit: float) -> Message:
    """The first message of an alert since a time."""

    def look() -> Message | None:
        found = (one for one in messages(stage.namespace) if (one.name, one.status) == (name, status))
        return next((one for one in found if one.at >= since), None)

    return until(look, limit, f"{name} {status}")


def detect(stage: Stage, name: str, fault: float, mend: Callable[[], object]) -> tuple[Message, float, float]:
    """Wait for an alert whose fault was at a time, mend it, wait for its end; both in seconds, which are printed."""
    try:
        fired = came(stage, name, "firing", fault, _DETECTED_S + max(0.0, fault - time.time()))
    finally:
        mended = time.time()
        mend()
    # A repair may take a while itself: what counts is the moment behind it.
    mended = max(mended, time.time())
    ended = came(stage, name, "resolved", fired.at, _RESOLVED_S)
    took = round(fired.at - fault, 1), round(max(0.0, ended.at - mended), 1)
    print(f"\n{name}: {took[0]:.0f} s to the message, {took[1]:.0f} s from the repair to its end")
    assert fired.path == "/team"
    assert took[0] <= _DETECTED_S
    return fired, *took


def value(stage: Stage, query: str) -> float | None:
    name = f"/api/v1/namespaces/{stage.namespace}/services/notes-prometheus:9090/proxy/api/v1/query?query={query}"
    found = json.loads(kubectl("get", "--raw", name))["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def failed_at(stage: Stage) -> float:
    """When the newest run has met what ended it, as its journal says."""
    phases = stage.runs()[0]["phases"]
    ended = next(phase["ended"] for phase in phases if phase["verdict"].get("verdict") == "fail")
    return datetime.fromisoformat(ended.replace("Z", "+00:00")).timestamp()


def back_up(stage: Stage) -> None:
    done = stage.play("backup.yml", "--tags", "now", backup_type="full")
    assert done.code == 0, done.output


def newest_backup(stage: Stage) -> float:
    """When the newest backup was done, as pgBackRest itself says."""
    pod = ("exec", "notes-postgres-0", "-c", "backup-server", "--")
    told = json.loads(kubectl("-n", stage.namespace, *pod, "pgbackrest", "--output=json", "info"))
    return float(max(one["timestamp"]["stop"] for one in told[0]["backup"]))


def test_what_the_repository_holds_is_told(usual: Stage) -> None:
    """The migrations of the first release have had a backup taken."""
    wanted = newest_backup(usual)
    until(lambda: value(usual, "golive_backup_last_success_timestamp_seconds") == wanted, 90, "the last backup")
    assert value(usual, "min(golive_exporter_query_up)") == 1
    assert value(usual, "count(golive_exporter_query_up)") == 9


def test_a_migration_that_fails(usual: Stage, tmp_path: Path) -> None:
    good = Path(usual.settings["migrate_path"], "0001_create_notes.sql")
    (tmp_path / good.name).write_text(good.read_text())
    bad = tmp_path / "0002_bad.sql"
    bad.write_text("ALTER TABLE notes ADD COLUMN price numeric;\nUPDATE nowhere SET price = 0;\n")
    ways = {"migrate_path": str(tmp_path), "migrate_target": "", "migrate_waive_restore_point": "a test"}
    ways["migrate_rehearse"] = False
    failed = usual.play("migrate.yml", **ways)
    assert failed.code == 2, failed.output
    fault = failed_at(usual)

    def mend() -> None:
        bad.unlink()
        again = usual.play("migrate.yml", **ways)
        assert again.code == 0, again.output

    fired, _detected, _resolved = detect(usual, "MigrationFailed", fault, mend)
    assert fired.labels["migration"] == "0002_bad.sql"


def test_a_gate_that_stops_a_move(usual: Stage) -> None:
    stopped = usual.play("release.yml", app_env={"LOG_LEVEL": "debug"}, release_gates=[GATE])
    assert stopped.code == 2, stopped.output
    fault = failed_at(usual)

    def mend() -> None:
        again = usual.play("release.yml")
        assert again.code == 0, again.output

    fired, _detected, _resolved = detect(usual, "CutoverGuardTripped", fault, mend)
    assert fired.labels["guard"] == "verify"


def test_an_archive_that_takes_nothing(usual: Stage) -> None:
    """The store is gone, so that archive_command fails; a server that nobody writes to would not archive at all."""
    patch = ("-n", usual.namespace, "patch", "service/s3", "--type=merge", "-p")
    kubectl(*patch, json.dumps({"spec": {"selector": {"app": "nobody"}}}))
    write = "SELECT pg_logical_emit_message(true, 'a', 'b'); SELECT pg_switch_wal()"
    pod = ("exec", "notes-postgres-0", "-c", "postgres", "--", "psql", "-qAt", "-U", "postgres", "-c")
    kubectl("-n", usual.namespace, *pod, write)
    detect(
        usual,
        "PostgresWalArchivingStopped",
        time.time(),
        lambda: kubectl(*patch, json.dumps({"spec": {"selector": {"app": "s3"}}})),
    )


def test_a_server_without_a_connection_left(usual: Stage) -> None:
    # Idle sessions, which end with what feeds them.
    hold = "trap 'kill $(jobs -p)' TERM; echo $$ > /tmp/held; for i in $(seq 60); do tail -f /dev/null |"
    hold += " psql -qAt -U postgres -d postgres & done; wait"
    pod = ("kubectl", "-n", usual.namespace, "exec", "notes-postgres-0", "-c", "postgres", "--", "sh", "-c")
    with subprocess.Popen([*pod, hold], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):

        def mend() -> None:
            subprocess.run([*pod, "kill $(cat /tmp/held)"], check=True, timeout=60)

        detect(usual, "PostgresConnectionsExhausted", time.time(), mend)


def test_a_volume_that_fills_up(usual: Stage, volume: SmallVolume) -> None:
    fault = time.time()
    volume.fill(left=0.05)
    fired, _detected, _resolved = detect(usual, "PostgresVolumeFilling", fault, volume.empty)
    assert fired.labels["persistentvolumeclaim"] == "data-notes-postgres-0"


def test_messages_that_do_not_arrive(usual: Stage) -> None:
    """Whoever listens for the heartbeat refuses it: the others hear of that."""
    fault = time.time()
    refuse(usual.namespace, "heartbeat", True)
    detect(usual, "AlertDeliveryFailing", fault, lambda: refuse(usual.namespace, "heartbeat", False))


def live_deployment(stage: Stage) -> tuple[str, str]:
    """The Deployment that takes traffic, and its container."""
    selector = kubectl("-n", stage.namespace, "get", "service/notes", "-o", "jsonpath={.spec.selector}")
    name = f"deployment/notes-{json.loads(selector)['golive.cutover/colour']}"
    where = "jsonpath={.spec.template.spec.containers[0].name}"
    return name, kubectl("-n", stage.namespace, "get", name, "-o", where)


def test_one_request_in_five_takes_three_seconds(usual: Stage) -> None:
    name, _container = live_deployment(usual)

    def moved(*fault: str) -> None:
        kubectl("-n", usual.namespace, "set", "env", name, *fault)
        # What counts is when users feel it.
        kubectl("-n", usual.namespace, "rollout", "status", name, "--timeout=120s")

    with usual.load(rate=10, seconds=900):
        moved("APP_FAULT=slow", "APP_FAULT_DELAY=3s")
        detect(usual, "AppLatencyP95Critical", time.time(), lambda: moved("APP_FAULT-", "APP_FAULT_DELAY-"))


def test_a_crash_loop_of_the_live_pods(usual: Stage) -> None:
    name, container = live_deployment(usual)
    at = ("-n", usual.namespace)
    # Without it the sound pod would stay until the new one is ready.
    strategy = {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
    kubectl(*at, "patch", name, "--type=merge", "-p", json.dumps(strategy))
    kubectl(*at, "set", "image", name, f"{container}=golive.test/notes:3.0.0-crash")
    fault = time.time()

    def mend() -> None:
        kubectl(*at, "rollout", "undo", name)

    detect(usual, "AppUnreachable", fault, mend)


def test_a_backup_that_is_withheld(usual: Stage) -> None:
    """The schedule stands still and nothing says so; only the age of what is there."""
    crossed = newest_backup(usual) + MOST_AGE_S
    detect(usual, "BackupMissing", crossed, lambda: back_up(usual))
