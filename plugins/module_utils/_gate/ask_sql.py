# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``sql``: whether PostgreSQL accepts sessions, and what a read-only query answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    NO_DATA,
    Look,
    compare,
    judged,
    of_way,
    plain_value,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, Settings, connect, settings

# The server answered and takes sessions; that this one was not let in is not what readiness asks (as pg_isready).
_ACCEPTS = ("auth_failed", "database_missing")


def ask(check: Mapping[str, Any], reach: Reach) -> Look:
    """Look once: a session of its own, in read-only transactions, and the query within ``timeout`` seconds."""
    try:
        options = reach.login(check["name"], check["postgresql"], (check["tunnel"] or {}).get("namespace"))
        way = reach.way(check["name"], check["tunnel"], settings(options).port)
    except GoliveError as error:
        return of_way(error)
    where = replace(settings(options, address=way.place), connect_timeout=check["timeout"])
    start = time.monotonic()
    try:
        return _asked(check, reach, where, start)
    except GoliveError as error:
        if error.code == "library_missing":
            raise
        seconds = time.monotonic() - start
        if check["query"] is None and error.code in _ACCEPTS:
            return judged([], "accepts sessions", seconds, check["max_latency"], _latency(seconds))
        return way.failed(f"{error.code}: {error.message}")


def _asked(check: Mapping[str, Any], reach: Reach, where: Settings, start: float) -> Look:
    limits = Limits(lock=check["timeout"], statement=check["timeout"])
    with connect(reach.call, where, limits=limits, read_only=True, application_name="golive gate") as session:
        if check["query"] is None:
            seconds = time.monotonic() - start
            return judged([], "accepts sessions", seconds, check["max_latency"], _latency(seconds))
        begin = time.monotonic()
        rows = session.rows(check["query"])
        seconds = time.monotonic() - begin
    values = {**_latency(seconds), "rows": len(rows)}
    faults = [compare("rows", len(rows), {"min": check["min_rows"], "max": check["max_rows"]})]
    if check["expect"] and not rows:
        return Look(False, "the query gave no row", seconds, values, NO_DATA)
    for rule in check["expect"]:
        if rule["name"] not in rows[0]:
            faults.append(f"the query has no column {rule['name']}")
            continue
        values[rule["name"]] = plain_value(rows[0][rule["name"]])
        faults.append(compare(rule["name"], values[rule["name"]], rule))
    return judged(filter(None, faults), f"{len(rows)} rows", seconds, check["max_latency"], values)


def _latency(seconds: float) -> dict[str, Any]:
    return {"latency_ms": round(seconds * 1000, 1)}
