# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as checks of a gate: what is made of them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.filter.pg_health_checks import pg_health_checks
from ansible_collections.golive.cutover.plugins.module_utils._gate.checks import read_checks
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import FACTS

LOGIN = {"host": "db", "user": "monitor"}


def test_a_check_has_the_query_and_the_bound_of_its_fact() -> None:
    tunnel = {"namespace": "shop", "service": "db"}
    given: dict[str, Any] = {"standbys": {"critical": 2}}
    (connections, standbys) = pg_health_checks(["connections", "standbys"], LOGIN, tunnel, given)
    assert connections == {
        "name": "pg_connections",
        "kind": "sql",
        "query": FACTS["connections"].query,
        "expect": [{"name": "value", "max": 0.95}],
        "postgresql": LOGIN,
        "tunnel": tunnel,
    }
    assert standbys["expect"] == [{"name": "value", "min": 2.0}]
    assert "tunnel" not in pg_health_checks(["connections"], LOGIN)[0]


def test_a_fact_without_a_warning_fails_at_its_critical_bound() -> None:
    checks = pg_health_checks(["connections", "archiver_failing"], LOGIN, fails_at="warning")
    assert [check["expect"][0]["max"] for check in checks] == [0.8, 0]


def test_a_gate_accepts_every_check() -> None:
    names = [name for name, fact in FACTS.items() if fact.sql and name != "standbys"]
    checks, faults = read_checks(pg_health_checks(names, LOGIN, fails_at="warning"), [], 60)
    assert (len(checks), faults) == (len(names), [])


@pytest.mark.parametrize(
    ("names", "options", "fault"),
    [
        (["conections"], {}, "facts: there is no fact 'conections'"),
        ([], {}, "facts: no fact is named"),
        (["disk_free"], {}, "facts: no SQL tells disk_free"),
        (["lock_waiters"], {}, "facts: lock_waiters has no bound of critical; give one in thresholds"),
        (["connections"], {"fails_at": "target"}, "fails_at is 'target', neither warning nor critical"),
        (["connections"], {"thresholds": {"x": {}}}, "thresholds: there is no fact 'x'"),
    ],
)
def test_what_cannot_be_a_check_is_refused(names: list[str], options: dict[str, Any], fault: str) -> None:
    with pytest.raises(AnsibleFilterError, match="Cannot make checks of facts, 1 settings are wrong") as caught:
        pg_health_checks(names, LOGIN, **options)
    assert fault in str(caught.value)
