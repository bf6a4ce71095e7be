# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a gate the journal keeps."""

from __future__ import annotations

import json

from ansible_collections.golive.cutover.plugins.filter.gate_numbers import gate_numbers
from ansible_collections.golive.cutover.plugins.module_utils._release.journal import MOST_VALUE

CHECK = {
    "name": "ready",
    "kind": "http",
    "critical": True,
    "weight": 1.0,
    "verdict": "fail",
    "reason": None,
    "attempts": 9,
    "passed": 4,
    "in_a_row": 0,
    "needed": 3,
    "last": {"ok": False, "seen": "503 " + "x" * 900, "values": {}},
    "latency_ms": {"min": 1.0, "median": 2.0, "max": 3.0},
    "threshold": {"status": [200]},
    "failed": [{"seen": "503", "times": 5}],
}
GATE = {
    "verdict": "fail",
    "reasons": [],
    "score": 0.0,
    "seconds": 4.5,
    "extended": False,
    "checks": [CHECK],
    "ledger": {"fresh": {}},
    "series": [{"t": second} for second in range(1000)],
    "changed": False,
}


def test_numbers_of_the_gate_and_of_each_check() -> None:
    kept = gate_numbers(GATE)
    (check,) = kept.pop("checks")
    assert kept == {"verdict": "fail", "reasons": [], "seconds": 4.5, "extended": False, "score": 0.0}
    assert check.pop("seen") == "503 " + "x" * 196
    assert check == {"name": "ready", "verdict": "fail", "passed": 4, "attempts": 9, "threshold": {"status": [200]}}


def test_a_gate_of_many_checks_has_room_in_one_entry() -> None:
    assert len(json.dumps(gate_numbers({**GATE, "checks": [CHECK] * 20}))) < MOST_VALUE


def test_refused_settings_have_no_numbers() -> None:
    assert gate_numbers({"failed": True, "code": "invalid", "faults": ["checks[0]: no url"]}) == {}
