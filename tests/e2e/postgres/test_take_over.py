# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server as earlier versions made it, whose app is its superuser: refused, then taken over with all that is in it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.postgres.test_embedded import Embedded, decoded

NAME = "shop-postgres"
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": "golive"}
SECURITY = {"runAsNonRoot": True, "runAsUser": 999, "runAsGroup": 999, "fsGroup": 999}
ROWS = "SELECT count(*), sum(n) FROM wares"


@pytest.fixture
def earlier(cluster: dict[str, str]) -> Iterator[Embedded]:
    """A server of before with rows, in a namespace of its own."""
    made = Embedded(f"golive-postgres-{secrets.token_hex(4)}", superuser="shop")
    kubectl("create", "namespace", made.namespace)
    try:
        apply = ("apply", "--server-side", "--field-manager=golive", "-n", made.namespace, "-f", "-")
        kubectl(*apply, stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": _objects()}))
        kubectl("rollout", "status", "-n", made.namespace, f"statefulset/{NAME}", "--timeout=110s")
        made.sql("CREATE TABLE wares (n serial); INSERT INTO wares SELECT generate_series(1, 1000)")
        yield made
    finally:
        kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


def _objects() -> list[dict[str, object]]:
    ready = {"exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "shop"]}, "periodSeconds": 1}
    environment = {
        "POSTGRES_DB": "shop",
        "POSTGRES_USER": "shop",
        "POSTGRES_PASSWORD_FILE": "/etc/golive/postgres/password",
        "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256 --data-checksums",
        "PGDATA": "/var/lib/postgresql/data/pgdata",
    }
    container = {
        "name": "postgres",
        "image": "golive.test/postgres:15",
        "ports": [{"name": "postgresql", "containerPort": 5432}],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "readinessProbe": ready,
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
            {"name": "password", "mountPath": "/etc/golive/postgres"},
        ],
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    pod = {
        "securityContext": SECURITY,
        "containers": [container],
        "volumes": [{"name": "password", "secret": {"secretName": NAME, "defaultMode": 288}}],
    }
    selector = {"app.kubernetes.io/name": NAME}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": NAME, "labels": LABELS},
            "stringData": {"password": secrets.token_hex(16)},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME, "labels": LABELS},
            "spec": {
                "selector": selector,
                "ports": [{"name": "postgresql", "port": 5432, "targetPort": "postgresql"}],
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": NAME, "labels": LABELS},
            "spec": {
                "serviceName": f"{NAME}-nodes",
                "replicas": 1,
                "selector": {"matchLabels": selector},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
                "volumeClaimTemplates": [{"metadata": {"name": "data", "labels": LABELS}, "spec": claim}],
            },
        },
    ]


def test_refused_then_taken_over_without_loss(earlier: Embedded) -> None:
    before, versions = earlier.sql(ROWS), earlier.versions()
    password = decoded(earlier.get(f"secret/{NAME}", "{.data.password}"))
    refused = earlier.play()
    assert refused.code != 0
    assert "Run again with -e postgres_take_over=true" in " ".join(refused.output.split())
    assert earlier.versions() == versions

    taken = earlier.play(postgres_take_over=True)
    assert taken.code == 0, taken.output
    assert password not in taken.output
    assert earlier.sql(ROWS) == before == "1000|500500"
    assert earlier.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'wares'") == "shop_owner"
    # Pods that run go on as they are, and the next release has the new login with the password of before.
    assert earlier.login() == {"user": "shop_a", "password": password}
    with earlier.tunnel() as (host, port):
        for user in ("shop", "shop_a"):
            with closing(earlier.connect(host, port, user=user, sslmode="prefer")) as session, session.cursor() as row:
                row.execute("INSERT INTO wares VALUES (DEFAULT) RETURNING n")
        with (
            closing(earlier.connect(host, port)) as session,
            session.cursor() as row,
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
        ):
            row.execute("DROP TABLE wares")
    again = earlier.play()
    assert (again.code, again.changed) == (0, 0), again.output
