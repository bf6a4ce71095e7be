# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL that archives into the S3 server beside it, in one pod, for tests of what is done with its backups."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.e2e.backup.store import BUCKETS, ClusterStore, bring_up
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import apply
from tests.images.cli import manifest_path
from tests.integration.s3 import ACCESS_KEY, REGION, SECRET_KEY

APP = "notes"
POD = "notes-postgres-0"
CONFIGURATION = "notes-postgres-backup"
PATH = "/tests/notes"
PASSWORD = "restore-test"
_DATA = "/var/lib/postgresql/data"
_FOLDERS = {"run": "/var/run/postgresql", "tmp": "/tmp", "shm": "/dev/shm"}


@dataclass(frozen=True)
class Archiving:
    """The server and its store, both in ``namespace``."""

    namespace: str
    store: ClusterStore

    def sql(self, *statements: str) -> str:
        """Run statements as the superuser; what the last one answers."""
        told = [part for one in statements for part in ("-c", one)]
        return self.run("psql", "-XAtqU", "postgres", "-v", "ON_ERROR_STOP=1", *told).strip()

    def run(self, *command: str) -> str:
        """Run a command in its pod."""
        return kubectl("-n", self.namespace, "exec", POD, "-c", "backup-server", "--", *command)

    def back_up(self, kind: str = "full") -> str:
        """Take a backup; its label."""
        self.run("pgbackrest", "--stanza=main", f"--type={kind}", "backup")
        listed = json.loads(self.run("pgbackrest", "--stanza=main", "info", "--output=json"))
        return str(listed[0]["backup"][-1]["label"])

    def write(self, rows: int) -> None:
        """Commit rows into the table ``ledger`` and have their segment archived."""
        self.sql(f"INSERT INTO ledger (note) SELECT md5(i::text) FROM generate_series(1, {rows}) i")
        self.switch()

    def switch_after(self, statement: str) -> str:
        """Run a statement in a segment of its own; the name of that."""
        self.sql(statement)
        return self.switch()

    def switch(self) -> str:
        """Begin the next segment once the server has archived the one before it; the name of that one."""
        # The place behind the switch may be the first of the next segment.
        name = self.sql("SELECT pg_walfile_name(pg_switch_wal() - 1)")
        # The server tells the last segment; names of one timeline are in order.
        wait = f"SELECT coalesce(last_archived_wal >= '{name}', false) FROM pg_stat_archiver"
        for _try in range(200):
            if self.sql(wait) == "t":
                return name
        raise AssertionError(f"{name} was not archived")

    @property
    def repository(self) -> dict[str, Any]:
        """Its entry of the option ``repositories``, for verbs outside of the cluster."""
        return self.store.repository(path=PATH, port=443, tunnel=self.store.tunnel)


def bring_up_archiving(namespace: str, image: str | None = None) -> Archiving:
    """Start store and server, make the stanza and the table ``ledger``."""
    store = bring_up(namespace)
    image = image or json.loads(manifest_path().read_text())["postgres-backup"]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": namespace, "name": CONFIGURATION},
        "stringData": {"pgbackrest.conf": _configuration(store), "ca.crt": store.ca},
    }
    apply(secret, _pod(namespace, image))
    kubectl("-n", namespace, "wait", f"pod/{POD}", "--for=condition=Ready", "--timeout=100s")
    server = Archiving(namespace, store)
    server.run("pgbackrest", "--stanza=main", "stanza-create")
    server.sql("CREATE TABLE ledger (id bigserial PRIMARY KEY, note text, at timestamptz DEFAULT clock_timestamp())")
    return server


def _configuration(store: ClusterStore) -> str:
    options = {
        "repo1-type": "s3",
        "repo1-s3-endpoint": store.endpoint,
        "repo1-s3-bucket": BUCKETS[0],
        "repo1-s3-region": REGION,
        "repo1-s3-uri-style": "path",
        "repo1-s3-key": ACCESS_KEY,
        "repo1-s3-key-secret": SECRET_KEY,
        "repo1-storage-ca-file": "/etc/pgbackrest/ca.crt",
        "repo1-path": PATH,
        "repo1-cipher-type": "aes-256-cbc",
        "repo1-cipher-pass": "only-of-this-test",
        "repo1-bundle": "y",
        "repo1-block": "y",
        "repo1-retention-full": "9999999",
        "compress-type": "zst",
        "start-fast": "y",
        "archive-copy": "y",
        "expire-auto": "n",
        "lock-path": "/tmp/pgbackrest",
        "log-level-file": "off",
    }
    lines = ["[global]", *(f"{name}={value}" for name, value in options.items())]
    return "\n".join([*lines, "[main]", f"pg1-path={_DATA}/pgdata", "pg1-socket-path=/var/run/postgresql", ""])


def _pod(namespace: str, image: str) -> dict[str, Any]:
    mounts = [
        {"name": "data", "mountPath": _DATA},
        {"name": "configuration", "mountPath": "/etc/pgbackrest", "readOnly": True},
        *({"name": name, "mountPath": path} for name, path in _FOLDERS.items()),
    ]
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    common = {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "volumeMounts": mounts,
        "securityContext": security,
        "env": [
            {"name": "PGDATA", "value": f"{_DATA}/pgdata"},
            {"name": "POSTGRES_PASSWORD", "value": PASSWORD},
            {"name": "POSTGRES_INITDB_ARGS", "value": "--data-checksums"},
        ],
    }
    settings = {
        "archive_mode": "on",
        "archive_command": "pgbackrest --stanza=main archive-push %p",
        # More than the default, which a restored copy must follow.
        "max_connections": "137",
    }
    server = {
        **common,
        "name": "postgres",
        "args": [part for name, value in settings.items() for part in ("-c", f"{name}={value}")],
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]},
            "periodSeconds": 1,
        },
    }
    # Where `pgbackrest server` would be: what tests ask is asked here, as of the real sidecar.
    sidecar = {**common, "name": "backup-server", "command": ["sh", "-c", "exec tail -f /dev/null"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": POD, "labels": {"app": APP}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999, "runAsNonRoot": True},
            "containers": [server, sidecar],
            "volumes": [
                {"name": "data", "emptyDir": {}},
                {"name": "configuration", "secret": {"secretName": CONFIGURATION, "defaultMode": 0o440}},
                *({"name": name, "emptyDir": {}} for name in _FOLDERS),
            ],
        },
    }
