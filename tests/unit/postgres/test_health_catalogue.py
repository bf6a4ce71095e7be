# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of facts as data, thresholds over it, and the verdict that follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import FACTS, with_thresholds
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import (
    BYTES,
    COUNT,
    PER_HOUR,
    SECONDS,
    SHARE,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_verdict import Seen, verdict

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_complete(name: str) -> None:
    fact = FACTS[name]
    assert fact.unit in (SHARE, SECONDS, BYTES, COUNT, PER_HOUR)
    assert fact.hint.endswith((".", ")"))
    assert fact.title[0].isupper()
    # Without thresholds it is only for those who give some.
    assert name == "standbys" or (fact.warning, fact.critical) != (None, None)
    if fact.warning is not None and fact.critical is not None:
        assert (fact.critical < fact.warning) is fact.low
    # psycopg2 takes a query without values as it is, and so does a gate: a doubled sign would reach the server.
    assert "%%" not in (fact.sql or "")


@pytest.mark.parametrize("name", FACTS)
def test_the_page_has_every_fact_with_its_thresholds(name: str) -> None:
    fact = FACTS[name]
    bounds = [fact.text(bound) if bound is not None else "–" for bound in (fact.warning, fact.critical)]
    page = (ROOT / "docs/postgres-health.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
    assert [cell.strip() for cell in row.split("|")[3:5]] == bounds, row


@pytest.mark.parametrize(
    ("thresholds", "fault"),
    [
        ({"conections": {}}, "thresholds: there is no fact 'conections'"),
        ({"xid_age": 0.5}, "thresholds.xid_age must be a dict of warning and critical"),
        ({"xid_age": {"error": 1}}, "thresholds.xid_age: 'error' is neither warning nor critical"),
        ({"xid_age": {"warning": True}}, "thresholds.xid_age.warning must be a number, or null for none"),
        ({"xid_age": {"warning": "much"}}, "thresholds.xid_age.warning must be a number, or null for none"),
        ({"xid_age": {"warning": float("nan")}}, "thresholds.xid_age.warning must be a number, or null for none"),
        ({"xid_age": {"warning": 0.7}}, "thresholds.xid_age: the critical bound must be above the warning one"),
        ({"disk_free": {"warning": 0.01}}, "thresholds.disk_free: the critical bound must be below the warning one"),
    ],
)
def test_wrong_thresholds_are_refused(thresholds: dict[str, Any], fault: str) -> None:
    assert with_thresholds(thresholds)[1] == [fault]


def test_thresholds_replace_only_what_they_name() -> None:
    facts, faults = with_thresholds({"xid_age": {"warning": "0.3"}, "connections": {"warning": None}})
    assert not faults
    assert (facts["xid_age"].warning, facts["xid_age"].critical) == (0.3, 0.6)
    assert (facts["connections"].warning, facts["connections"].critical) == (None, 0.95)
    assert facts["lock_wait"] == FACTS["lock_wait"]


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("connections", 0.8, "ok"),
        ("connections", 0.81, "warning"),
        ("connections", 0.95, "warning"),
        ("connections", 0.951, "critical"),
        ("disk_free", 0.25, "ok"),
        ("disk_free", 0.24, "warning"),
        ("disk_free", 0.09, "critical"),
        ("lock_waiters", 5000, "warning"),
        ("standbys", 0, "ok"),
        ("checksum_failures", 1, "critical"),
        ("connections", None, "unknown"),
    ],
)
def test_a_value_beyond_a_bound_is_bad(name: str, value: float | None, state: str) -> None:
    assert Seen(FACTS[name], value).state == state


def test_the_worst_decides_and_is_told_first() -> None:
    warned = Seen(FACTS["lock_wait"], 31.0, "pid 7 waits")
    broken = Seen(FACTS["disk_free"], 0.05, "1 of 20 GiB are free")
    fine = Seen(FACTS["connections"], 0.1, "1 of 10")
    hidden = [Seen(FACTS[name], reason="no right", hint="Grant it.") for name in ("query_age", "slot_wal")]
    optional = Seen(FACTS["sequence_used"], reason="no right", hint="Grant it.")
    assert verdict([fine, optional]) == ("healthy", [])
    assert verdict([fine, *hidden]) == ("degraded", ["Not known: query_age, slot_wal; no right. Grant it."])
    assert verdict([optional], ["sequence_used"])[0] == "degraded"
    word, reasons = verdict([*hidden, warned, fine, broken])
    assert word == "unhealthy"
    assert [reason.split(":")[0] for reason in reasons] == [
        "Free room on the volume",
        "Longest wait for a lock",
        "Not known",
    ]
    assert reasons[0].startswith("Free room on the volume: 5 % is below 10 % (critical); 1 of 20 GiB are free. Enlarge")
    assert reasons[1].startswith("Longest wait for a lock: 31 s is above 30 s (warning); pid 7 waits. Let the blocker")
