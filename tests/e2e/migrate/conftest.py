# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL pod behind a Service, with its password in a Secret: what the tests of this folder reach into."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call, call_for_tests
from ansible_collections.golive.cutover.plugins.modules import db_migrate, db_migrate_info
from tests.e2e.conftest import kubectl
from tests.integration.postgres import binaries

NAME = "shop-postgres"


@dataclass(frozen=True)
class Stand:
    """Where the database is; ``password`` is only in the Secret ``shop-postgres``."""

    namespace: str
    password: str

    def params(self, **options: Any) -> dict[str, Any]:
        """Options of ``db_migrate`` that reach the database through the cluster's API."""
        defaults = {name: spec.get("default") for name, spec in db_migrate.SPEC["argument_spec"].items()}
        return {
            **defaults,
            "postgresql": {
                "database": "shop",
                "user": "shop",
                "password_secret": {"name": NAME, "key": "password"},
                "connect_timeout": 10,
            },
            "tunnel": {"namespace": self.namespace, "service": NAME},
            **options,
        }

    def migrate(self, path: Path, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run ``db_migrate``."""
        return db_migrate.run(call_for_tests(self.params(path=str(path), **options), check_mode, diff_mode=True))

    def info(self, path: Path | None = None) -> dict[str, Any]:
        """Run ``db_migrate_info``."""
        return db_migrate_info.run(call_for_tests(self.params(path=str(path) if path else None)))

    def psql(self, sql: str) -> str:
        """What the server itself answers, without our code."""
        return kubectl(
            "exec", "-n", self.namespace, f"deploy/{NAME}", "--", "psql", "-U", "shop", "-d", "shop", "-Atc", sql
        ).strip()

    def pod(self) -> str:
        """Name of the pod that runs now."""
        rows = json.loads(kubectl("get", "pods", "-n", self.namespace, "-l", f"app={NAME}", "-o", "json"))["items"]
        return next(str(row["metadata"]["name"]) for row in rows if not row["metadata"].get("deletionTimestamp"))


@pytest.fixture(scope="session")
def stand(cluster: dict[str, str]) -> Iterator[Stand]:
    """One database for all tests of this folder."""
    # The diff of check mode takes pg_dump from here.
    binaries()
    made = Stand(f"golive-migrate-{secrets.token_hex(4)}", f"planted-{secrets.token_hex(12)}")
    kubectl("create", "namespace", made.namespace)
    try:
        kubectl("apply", "-n", made.namespace, "-f", "-", stdin=json.dumps(_objects(made.password)))
        kubectl("rollout", "status", "-n", made.namespace, f"deploy/{NAME}", "--timeout=110s")
        yield made
    finally:
        kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


@pytest.fixture
def fresh(stand: Stand) -> Stand:
    """The database as it was made."""
    stand.psql("DROP SCHEMA IF EXISTS golive CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return stand


@pytest.fixture
def call(stand: Stand) -> Call:
    """A call with the options that reach the cluster."""
    return call_for_tests(stand.params())


def _objects(password: str) -> dict[str, Any]:
    labels = {"app": NAME}
    ready = {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "shop"]}
    container = {
        "name": "postgres",
        "image": f"{os.environ['GOLIVE_IMAGE_PREFIX']}/postgres:15",
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": "POSTGRES_USER", "value": "shop"},
            {"name": "POSTGRES_DB", "value": "shop"},
            # Without it the image trusts its own loopback, which is where a port-forward comes from.
            {"name": "POSTGRES_INITDB_ARGS", "value": "--auth-host=scram-sha-256"},
            {"name": "POSTGRES_PASSWORD", "valueFrom": {"secretKeyRef": {"name": NAME, "key": "password"}}},
        ],
        "ports": [{"name": "sql", "containerPort": 5432}],
        "readinessProbe": {"exec": ready, "periodSeconds": 1, "timeoutSeconds": 5},
        "resources": {"limits": {"memory": "512Mi"}},
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    ports = [{"name": "sql", "port": 5432, "targetPort": "sql"}, {"name": "nothing", "port": 81, "targetPort": 81}]
    items = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "stringData": {"password": password}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME},
            "spec": {"selector": labels, "ports": ports},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}
