# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting open work, and what is said of it once pods are gone."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._traffic.balancer import drain_seconds
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drain_record import DrainRecord
from ansible_collections.golive.cutover.plugins.module_utils._traffic.open_work import Work, connections, gauge
from ansible_collections.golive.cutover.plugins.module_utils._traffic.settle_wish import (
    read_settle,
    settle_faults,
)

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
# As a little-endian machine shows it: a listener, a client of 8080, one that closes, another port, a port-forward.
TABLE = f"""{HEAD}
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0500580A:1F90 0100580A:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
   2: 0500580A:1F90 0100580A:C351 06 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 0500580A:C000 0100580A:1538 01 00000000:00000000 00:00000000 00000000     0        0 4 1 0 20 4 30 10 -1
   4: 0100007F:1F90 0100007F:C351 01 00000000:00000000 00:00000000 00000000     0        0 5 1 0 20 4 30 10 -1
{HEAD}
   0: 0000000000000000FFFF00000500580A:1F90 0000000000000000FFFF00000200580A:D431 01 00000000:00000000 00:0 0 0 0 5 1
   1: B80D0120000000000000000001000000:1F90 B80D0120000000000000000002000000:D432 01 00000000:00000000 00:0 0 0 0 6 1
"""
SETTLE = {"replicas": 1, "timeout": 300.0, "count": "metric", "metric": None, "sockets": None, "nudge": None}


def test_connections_of_a_port() -> None:
    assert connections(TABLE, {8080}) == {"10.88.0.1:50000", "10.88.0.2:54321", "2001:db8::2:54322"}
    assert connections(TABLE, {5432}) == set()


@pytest.mark.parametrize(
    ("page", "value"),
    [
        ("# TYPE open gauge\nopen 3\nopened 9\n", 3),
        ('open{kind="http"} 2\nopen{kind="ws"} 1.5\n', 4),
        ("open 0", 0),
    ],
)
def test_a_gauge(page: str, value: int) -> None:
    assert gauge(page, "open") == value


@pytest.mark.parametrize("page", ["", "opened 3", "open NaN"])
def test_no_number_is_not_zero(page: str) -> None:
    with pytest.raises(GoliveError) as caught:
        gauge(page, "open")
    assert caught.value.code == "count_failed"


def test_what_was_cut() -> None:
    clock = [0.0]
    wish = read_settle({**SETTLE, "metric": {"name": "open", "path": "/metrics", "port": None}})
    assert wish is not None
    record = DrainRecord(lambda: clock[0], 3, wish)
    assert record.saw({"a": Work(2, ("1.2.3.4:5", "1.2.3.4:6")), "b": Work(0), "c": Work(1)}) == 3
    clock[0] = 10.0
    record.saw({"a": Work(1, ("1.2.3.4:5",)), "b": Work(0), "c": Work(0)})
    record.late = True
    record.drained(300)
    record.size = 2
    record.removed("b", 1.5)
    clock[0] = 12.0
    record.size = 1
    record.removed("a", 2.0)
    told = record.as_dict()
    assert (told["from"], told["to"], told["open_before"], told["open_after"]) == (3, 1, 3, 1)
    assert [(row["pod"], row["open"]) for row in told["removed"]] == [("b", 0), ("a", 1)]
    assert told["cut"]["count"] == 1
    assert told["cut"]["pods"] == [
        {"pod": "a", "count": 1, "age_s": 12.0, "peers": [{"peer": "1.2.3.4:5", "age_s": 12.0}]}
    ]


def test_what_was_not_counted_is_not_called_zero() -> None:
    wish = read_settle({**SETTLE, "count": "none"})
    assert wish is not None
    record = DrainRecord(lambda: 0.0, 2, wish)
    record.drained(300)
    record.size = 1
    record.removed("a", 1.0)
    told = record.as_dict()
    assert (told["open_before"], told["open_after"], told["cut"]) == (None, None, None)
    assert told["removed"][0]["open"] is None


def test_faults_at_once() -> None:
    said = "; ".join(settle_faults({**SETTLE, "replicas": -1, "timeout": -1.0}, 50))
    for part in ("weight 100", "replicas must not", "timeout must not", "settle.metric is not given"):
        assert part in said
    assert settle_faults(None, 50) == []


@pytest.mark.parametrize(
    ("annotations", "seconds"),
    [
        ({}, 0),
        ({"example.org/other": "1"}, 0),
        ({"service.beta.kubernetes.io/aws-load-balancer-type": "external"}, 300),
        ({"service.beta.kubernetes.io/aws-load-balancer-connection-draining-timeout": "60"}, 60),
        (
            {
                "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes": "stickiness.enabled=true,"
                "deregistration_delay.timeout_seconds=120"
            },
            120,
        ),
    ],
)
def test_the_drain_time_of_a_balancer(annotations: dict[str, str], seconds: float) -> None:
    assert drain_seconds({"metadata": {"annotations": annotations}}) == seconds
