# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app with its database and a Prometheus of its own, from nothing by the real playbook."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from tests.e2e.backup.store import bring_up
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.monitoring import receiver
from tests.e2e.monitoring.small_volume import SmallVolume, small_volume
from tests.e2e.node_ports import free_node_port
from tests.images.cli import manifest_path

# Short, so that the tests need not wait: what is measured at the usual ones stands in docs/alerts.md.
QUICK = {
    "app_replicas": 1,
    "monitoring_interval": 3,
    "monitoring_hypercare": True,
    "monitoring_dashboards": True,
    "monitoring_repositories_interval": 10,
}
MOST_AGE_S = 420


def embedded_settings() -> dict[str, Any]:
    """The settings of the role that say where the images of the tests are, and who gets the alerts."""
    images = json.loads(manifest_path().read_text())
    places = {
        "prometheus": "prometheus",
        "alertmanager": "alertmanager",
        "postgres_exporter": "postgres-exporter",
        "blackbox": "blackbox-exporter",
        "kube_state": "kube-state-stand-in",
        "exporter": "exporter",
    }
    receivers = [
        {
            "name": name,
            "webhook_configs": [{"url_secret": {"name": receiver.SECRET, "key": name}, "send_resolved": True}],
        }
        for name in ("team", "heartbeat", "second")
    ]
    return {
        "monitoring_mode": "embedded",
        "monitoring_receivers": receivers,
        "monitoring_heartbeat": "heartbeat",
        "monitoring_escalation": "second",
        "monitoring_muted": [{"times": [{"start_time": "01:00", "end_time": "01:01"}]}],
        **{f"monitoring_{place}_image": images[name] for place, name in places.items()},
    }


@pytest.fixture(scope="module")
def watched(cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage that is live, has backups, and is watched all the time."""
    with live_stage(tmp_path_factory, QUICK) as stage:
        yield stage


@pytest.fixture(scope="module")
def volume(cluster: dict[str, str]) -> Iterator[SmallVolume]:
    """Where the database of ``usual`` is."""
    if cluster["GOLIVE_PROVIDER"] != "built":
        pytest.skip("only the node of the built cluster can be given a small volume")
    with small_volume() as made:
        yield made


@pytest.fixture(scope="module")
def usual(
    cluster: dict[str, str], volume: SmallVolume, programs: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The same, watched as often as by default, on a small volume; a backup is missed after minutes."""
    port = free_node_port()
    own = {
        "app_expose": {"node_port": port},
        "app_replicas": 1,
        "monitoring_bounds": {"backup_seconds": MOST_AGE_S},
        "postgres_storage_class": volume.storage_class,
        "monitoring_storage_class": cluster["GOLIVE_STORAGE_CLASS"],
    }
    with live_stage(tmp_path_factory, own) as stage:
        stage.port, stage.load_program = port, programs["load"]
        yield stage


@contextmanager
def live_stage(folders: pytest.TempPathFactory, more: Mapping[str, Any]) -> Iterator[Stage]:
    """A stage from nothing by the real playbook, with a store for its backups in the same namespace."""
    namespace = f"golive-watched-{secrets.token_hex(3)}"
    kubectl("create", "namespace", namespace)
    receiver.start(namespace)
    store = bring_up(namespace)
    local = yaml.safe_load((ROOT / "inventories/local/host_vars/notes.yml").read_text())
    shared = yaml.safe_load((ROOT / "inventories/local/group_vars/golive_apps.yml").read_text())
    own = {
        "app_namespace": namespace,
        "app_expose": {},
        "release_probe_url": "",
        "migrate_path": str(ROOT / "tests/app/migrations"),
        "migrate_target": "0001",
        "postgres_image": "golive.test/postgres-backup",
        "postgres_version": "17",
        "postgres_resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "640Mi"}},
        "backup_repositories": [store.repository(tunnel=store.tunnel)],
    }
    settings = {**shared, **local, **own, **embedded_settings(), **more}
    stage = Stage(folders.mktemp(namespace), namespace, 0, "", settings)
    try:
        play = stage.play("site.yml")
        assert play.code == 0, play.output
        yield stage
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false", check=False)
        # What belongs to no namespace stays behind one that is deleted.
        for kind in ("clusterrole", "clusterrolebinding"):
            kubectl("delete", kind, f"golive-{namespace}-notes-prometheus", "--ignore-not-found", check=False)
