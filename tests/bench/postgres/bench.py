# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pgbench on two embedded servers in pods of one size: with the settings the role derives, and as PostgreSQL comes."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[3]
PLAIN, TUNED = "as PostgreSQL comes", "derived from the container"
_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_MEMORY, _STORAGE = "1Gi", "4Gi"


@dataclass(frozen=True)
class Size:
    """How much is measured; ``scale`` is pgbench's, 15 MB each."""

    scale: int
    seconds: int
    rounds: int


@dataclass(frozen=True)
class Work:
    """What pgbench does; ``script`` is read from its standard input."""

    name: str
    arguments: tuple[str, ...]
    script: str = ""


_SORT = """SELECT b.bid, count(*), max(x.abalance) FROM pgbench_branches b JOIN (SELECT bid, abalance, filler FROM
pgbench_accounts WHERE aid % 20 = 0 ORDER BY filler, abalance, aid) x USING (bid) GROUP BY b.bid ORDER BY 2;
"""
WORKS = (
    Work("read by key", ("-S",)),
    Work("write (TPC-B-like)", ()),
    Work("sort and join", ("-f", "/dev/stdin"), _SORT),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="a small database, one short round")
    size = Size(2, 2, 1) if parser.parse_args().sample else Size(40, 20, 3)
    servers = {PLAIN: "golive-bench-postgres-plain", TUNED: "golive-bench-postgres-tuned"}
    try:
        for name, namespace in servers.items():
            _bring(namespace, name == TUNED)
            _pgbench(namespace, "-i", "-q", "-s", str(size.scale))
        rates = _measured(servers, size)
    finally:
        for namespace in servers.values():
            _run(["kubectl", "delete", "namespace", namespace, "--wait=false", "--ignore-not-found"])
    _report(rates, size)
    return 0


def _bring(namespace: str, tuned: bool) -> None:
    _run(["kubectl", "create", "namespace", namespace])
    settings = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "app_namespace": namespace,
        "postgres_mode": "embedded",
        "postgres_image": "golive.test/postgres",
        "postgres_version": "15",
        "postgres_storage": _STORAGE,
        "postgres_resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": 2, "memory": _MEMORY}},
        "postgres_tuned": tuned,
    }
    role = str(ROOT / "tests" / "e2e" / "postgres" / "role.yml")
    _run(["ansible-playbook", "-i", "shop,", "-c", "local", role, "-e", json.dumps(settings)])


def _measured(servers: dict[str, str], size: Size) -> dict[str, dict[str, list[float]]]:
    """Transactions a second by work and server; the servers take turns."""
    rates: dict[str, dict[str, list[float]]] = {work.name: {name: [] for name in servers} for work in WORKS}
    for turn in range(size.rounds):
        for work in WORKS:
            for name, namespace in list(servers.items())[:: 1 if turn % 2 else -1]:
                options = ("-n", "-c", "4", "-j", "2", "-T", str(size.seconds))
                said = _pgbench(namespace, *options, *work.arguments, stdin=work.script)
                found = _TPS.search(said)
                if found is None:
                    sys.exit(f"pgbench told no rate:\n{said}")
                rates[work.name][name].append(float(found[1]))
                print(f"{work.name}, {name}: {found[1]}", file=sys.stderr)
    return rates


def _pgbench(namespace: str, *arguments: str, stdin: str = "") -> str:
    pod = ["kubectl", "exec", "-i", "-n", namespace, "shop-postgres-0", "--"]
    return _run([*pod, "pgbench", "-U", "postgres", *arguments, "shop"], stdin)


def _run(command: list[str], stdin: str = "") -> str:
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _report(rates: dict[str, dict[str, list[float]]], size: Size) -> None:
    target = ROOT / "build" / "bench" / "postgres.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rates, indent=1))
    rows = []
    for work, by_server in rates.items():
        plain, tuned = median(by_server[PLAIN]), median(by_server[TUNED])
        rows.append(f"| {work} | {plain:,.1f} | {tuned:,.1f} | {tuned / plain:.2f}× |")
    told = [
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}. Pods of {_MEMORY} with a",
        f"volume of {_STORAGE}, a database of scale {size.scale} ({size.scale * 15:,} MB), 4 clients,",
        f"{size.seconds} s each, median of {size.rounds} in turn. Transactions a second.",
    ]
    print(f"### pgbench before and after the derived settings\n\n{' '.join(told)}\n")
    print(f"| | {PLAIN} | {TUNED} | ratio |\n|---|---|---|---|")
    print("\n".join(rows))
    print("\nRepeat: `tests/bench/postgres/run`")


if __name__ == "__main__":
    sys.exit(main())
