# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One database back from the same store: by pgBackRest and a start alone, from a dump, and by ours with its proof."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from ansible_collections.golive.cutover.plugins.modules import pg_restore  # noqa: E402  # after the path
from tests.e2e.backup.archiving import APP, CONFIGURATION, PASSWORD, POD, Archiving, bring_up_archiving  # noqa: E402
from tests.e2e.conftest import kubectl  # noqa: E402
from tests.e2e.kube_track.verbs import call_verb  # noqa: E402
from tests.images.cli import manifest_path  # noqa: E402

_NAMESPACE = "golive-bench-restore"
_SCALE, _SAMPLE_SCALE = 130, 2
_DATA = "/var/lib/postgresql/data"
# Restore, start, and ask until it has left recovery; the seconds go to the log.
_LIMIT = """
export PGHOST=/var/run/postgresql PGUSER=postgres
begin=$(cut -d' ' -f1 /proc/uptime)
pgbackrest --stanza=main --archive-mode=off --log-level-console=error --log-level-file=off restore
pg_ctl -D "$PGDATA" -l /tmp/log -o "-c listen_addresses='' -c max_connections=137" -t 3600 -w start >/dev/null
until [ "$(psql -XAtqc 'SELECT pg_is_in_recovery()')" = f ]; do sleep 0.1; done
echo "$begin $(cut -d' ' -f1 /proc/uptime)"
pg_ctl -D "$PGDATA" -m immediate stop >/dev/null
"""


@dataclass(frozen=True)
class Took:
    """Seconds of one way: ``inside`` from its first byte to read-write, ``service`` with the start of its pod."""

    inside: float
    service: float
    proof: float | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="a tiny database")
    parser.add_argument("--scale", type=int, help=f"scale of pgbench, 15 MB each; {_SCALE} is 2 GB")
    options = parser.parse_args()
    scale = options.scale or (_SAMPLE_SCALE if options.sample else _SCALE)
    kubectl("create", "namespace", _NAMESPACE)
    try:
        server = bring_up_archiving(_NAMESPACE)
        _said(server, "pgbench", "-U", "postgres", "-i", "-q", "-s", str(scale), "postgres")
        server.back_up()
        server.write(1000)
        size = int(server.sql("SELECT pg_database_size('postgres')"))
        rounds = [{name: way(server) for name, way in _WAYS.items()} for _round in range(1 if options.sample else 3)]
    finally:
        kubectl("delete", "namespace", _NAMESPACE, "--wait=false", check=False)
    _report({name: _median([one[name] for one in rounds]) for name in _WAYS}, size, len(rounds))
    return 0


def _median(took: list[Took]) -> Took:
    proofs = [one.proof for one in took if one.proof is not None]
    inside, service = median(one.inside for one in took), median(one.service for one in took)
    return Took(inside, service, median(proofs) if proofs else None)


def _said(server: Archiving, *command: str) -> str:
    """What a command in the server's pod says; it may take longer than a test's."""
    pod = ["kubectl", "-n", server.namespace, "exec", POD, "-c", "backup-server", "--"]
    return subprocess.run([*pod, *command], check=True, capture_output=True, text=True, timeout=3600).stdout


def _limit(server: Archiving) -> Took:
    folders = {"data": _DATA, "run": "/var/run/postgresql", "tmp": "/tmp"}
    container = {
        "name": "limit",
        "image": json.loads(manifest_path().read_text())["postgres-backup"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-euc", _LIMIT],
        "env": [{"name": "PGDATA", "value": f"{_DATA}/pgdata"}],
        "volumeMounts": [
            {"name": "configuration", "mountPath": "/etc/pgbackrest"},
            *({"name": name, "mountPath": path} for name, path in folders.items()),
        ],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": server.namespace, "name": "limit"},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999},
            "containers": [container],
            "volumes": [
                {"name": "configuration", "secret": {"secretName": CONFIGURATION, "defaultMode": 0o440}},
                *({"name": name, "emptyDir": {}} for name in folders),
            ],
        },
    }
    began = time.monotonic()
    kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    while (
        phase := kubectl("-n", server.namespace, "get", "pod", "limit", "-o", "jsonpath={.status.phase}")
    ) != "Succeeded":
        if phase == "Failed" or time.monotonic() - began > 3600:
            sys.exit(f"The limit ended as {phase}:\n{kubectl('-n', server.namespace, 'logs', 'limit')}")
        time.sleep(0.5)
    service = time.monotonic() - began
    first, last = (float(part) for part in kubectl("-n", server.namespace, "logs", "limit").split()[-2:])
    kubectl("-n", server.namespace, "delete", "pod", "limit")
    return Took(last - first, service)


def _dump(server: Archiving) -> Took:
    _said(server, "pg_dump", "-U", "postgres", "-Fc", "-f", "/tmp/dump", "postgres")
    server.sql("CREATE DATABASE dumped TEMPLATE template0")
    began = time.monotonic()
    _said(server, "pg_restore", "-U", "postgres", "-j", "2", "-d", "dumped", "/tmp/dump")
    seconds = time.monotonic() - began
    server.sql("DROP DATABASE dumped")
    return Took(seconds, seconds)


def _ours(server: Archiving) -> Took:
    options: dict[str, Any] = {
        "namespace": server.namespace,
        "app": APP,
        "name": "bench",
        "image": json.loads(manifest_path().read_text())["postgres-backup"],
        "storage": {"size": "8Gi"},
        "repositories": [server.repository],
        "compare": [{"table": "ledger", "key": "id"}],
        "postgresql": {"user": "postgres", "password": PASSWORD, "database": "postgres"},
        "tunnel": {"namespace": server.namespace, "pod": POD, "port": "5432"},
    }
    done = call_verb(pg_restore, **options)
    if done.get("level") != 6:
        sys.exit(f"The restore was not proven: {done}")
    phases = done["phases"]
    return Took(phases["fetch"] + phases["start"] + phases["replay"], done["rto_s"], done["seconds"] - done["rto_s"])


_WAYS = {
    "pgBackRest restore and start (the limit)": _limit,
    "pg_restore of a dump, two jobs": _dump,
    "pg_restore of this collection, proven to level 6": _ours,
}


def _report(took: dict[str, Took], size: int, rounds: int) -> None:
    target = ROOT / "build" / "bench" / "restore.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({name: vars(one) for name, one in took.items()}, indent=1))
    limit = next(iter(took.values()))
    told = [
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}. A database of",
        f"{size / 1e6:,.0f} MB, PostgreSQL 17, S3 in the cluster with TLS, sealed. Seconds, median of {rounds}.",
        "«Read-write» begins with the first byte that is fetched, «service» with the request, and so with the start of",
        "a pod; the dump goes into a server that runs. The proof begins when the copy is read-write.",
    ]
    print(f"### A database is restored\n\n{' '.join(told)}\n")
    print("| | read-write | service | proof | read-write, ratio to the limit |\n|---|---|---|---|---|")
    for name, one in took.items():
        proof = "–" if one.proof is None else f"{one.proof:.1f}"
        print(f"| {name} | {one.inside:.1f} | {one.service:.1f} | {proof} | {one.inside / limit.inside:.2f}× |")
    print("\nRepeat: `tests/bench/restore/run`, with `--scale N` for 15 MB times N")


if __name__ == "__main__":
    sys.exit(main())
