# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a PostgreSQL server from the memory, the processors and the volume that its container has.

Sources: PostgreSQL documentation 20.4 (resource consumption) and 20.5 (write-ahead log); PGTune (le0pard/pgtune),
profile «web»; Andres Freund, «Measuring the memory overhead of a Postgres connection» (2020), for the connections.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.quantities import amount

_MIB = 1024**2
_GIB = 1024**3
# An idle connection holds 2 MiB and a busy one several times that; a pooler serves more clients than this many.
_CONNECTION_BYTES = 5 * _MIB
_MOST_CONNECTIONS = 400
# A connection that serves a container needs some room whatever the memory is.
_LEAST_CONNECTIONS = 20
# Below this a server does not start with room to work.
LEAST_MEMORY = 128 * _MIB


def tuned(memory: int, cores: float, volume: int | None = None, connections: int | None = None) -> dict[str, str | int]:
    """Settings by name, for solid state disks and an application of many short transactions.

    ``memory`` and ``volume`` are bytes, ``cores`` may be a fraction, ``connections`` is the wanted max_connections.

    - shared_buffers = memory / 4 (documentation: «a reasonable starting value is 25 %»)
    - effective_cache_size = memory * 3 / 4 (PGTune; the page cache of a container counts to its limit)
    - max_connections = memory / 5 MiB, at least 20 and at most 400
    - work_mem = (memory - shared_buffers) / (3 * max_connections) / workers of a query (PGTune), at least 1 MiB
    - maintenance_work_mem = memory / 16, at most 2 GiB (PGTune); each of the autovacuum workers takes as much
    - max_wal_size = volume / 8, between 128 MiB and 4 GiB (PGTune has 4 GiB; a small volume must not fill with WAL);
      min_wal_size = a quarter of it
    - max_parallel_workers = cores, half of them for one query, at most 4 (PGTune)
    - autovacuum at twice and five times the default pace: a table of 10 % dead rows is worth a vacuum, and the limit
      of 200 is for spinning disks (documentation 20.4.4)
    - huge_pages off: where a node has huge pages and the container has no limit of them, the server dies of SIGBUS
      (docker-library/postgres#451)

    Raises ValueError when the memory is less than 128 MiB.
    """
    if memory < LEAST_MEMORY:
        raise ValueError(f"{memory // _MIB} MiB are too little for a PostgreSQL server; give it 128 MiB or more")
    buffers = memory // 4
    most = connections or max(_LEAST_CONNECTIONS, min(_MOST_CONNECTIONS, memory // _CONNECTION_BYTES))
    workers = max(1, math.floor(cores))
    for_query = min(4, math.ceil(workers / 2))
    wal = 4 * _GIB if volume is None else max(128 * _MIB, min(4 * _GIB, volume // 8))
    return {
        "max_connections": most,
        "shared_buffers": _megabytes(buffers),
        "effective_cache_size": _megabytes(memory * 3 // 4),
        "work_mem": _kilobytes(max(_MIB, (memory - buffers) // (3 * most) // for_query)),
        "maintenance_work_mem": _megabytes(min(2 * _GIB, memory // 16)),
        "max_wal_size": _megabytes(wal),
        "min_wal_size": _megabytes(max(32 * _MIB, wal // 4)),
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "effective_io_concurrency": 200,
        "max_worker_processes": max(8, workers + 4),
        "max_parallel_workers": workers,
        "max_parallel_workers_per_gather": for_query,
        "max_parallel_maintenance_workers": for_query,
        "autovacuum_vacuum_scale_factor": "0.1",
        "autovacuum_analyze_scale_factor": "0.05",
        "autovacuum_vacuum_cost_limit": 1000,
        "huge_pages": "off",
    }


def tuned_for(resources: Mapping[str, Any], storage: str, connections: int | None = None) -> dict[str, str | int]:
    """``tuned`` for a container with these ``resources`` (requests and limits as Kubernetes takes them) and a volume.

    The limit of memory counts, else the request; of processors too. Raises ValueError when no memory is named, or a
    quantity is none.
    """
    memory = _named(resources, "memory")
    if memory is None:
        raise ValueError("the resources name no memory; set requests.memory or limits.memory")
    cores = _named(resources, "cpu")
    return tuned(int(memory), 1.0 if cores is None else cores, int(_amount("storage", storage)), connections)


def _named(resources: Mapping[str, Any], name: str) -> float | None:
    for part in ("limits", "requests"):
        value = (resources.get(part) or {}).get(name)
        if value is not None:
            return _amount(name, value)
    return None


def _amount(name: str, value: Any) -> float:
    found = amount(value)
    if found is None:
        raise ValueError(f"{name}: {value!r} is no quantity such as 512Mi")
    return float(found)


def _megabytes(size: int) -> str:
    return f"{size // _MIB}MB"


def _kilobytes(size: int) -> str:
    return f"{size // 1024}kB"
