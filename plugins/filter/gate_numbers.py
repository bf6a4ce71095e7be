# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep of a gate's result what a journal has room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: gate_numbers
short_description: What of a gate's result goes into the journal
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Takes the result of M(golive.cutover.health_gate), of a gate that passed or of one that did not.
  - Per check it keeps the verdict, how many looks there were and how many were good, the last thing seen, and the
    threshold it was held against. Requests by the second are not kept.
positional: _input
options:
  _input:
    description: The result.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Record the gate with the phase that it ends
  golive.cutover.release_journal:
    action: advance
    app: shop
    namespace: shop
    phase: settle
    lease: "{{ run.lease }}"
    verdict: "{{ {'verdict': gate.verdict, 'gate': gate | golive.cutover.gate_numbers} }}"
"""

RETURN = r"""
_value:
  description:
    - C(verdict), C(reasons), C(seconds), C(extended), C(score) and C(checks), each with C(name), C(verdict), C(passed),
      C(attempts), C(seen) and C(threshold). Empty when the gate did not run.
  type: dict
"""

_GATE = ("verdict", "reasons", "seconds", "extended", "score")
_CHECK = ("name", "verdict", "passed", "attempts")
_LONGEST = 200


def gate_numbers(result: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of the gate and of its checks; an empty dict when its settings were refused."""
    if "checks" not in result:
        return {}
    kept = {key: result[key] for key in _GATE if key in result}
    return {**kept, "checks": [_check(row) for row in result["checks"]]}


def _check(row: Mapping[str, Any]) -> dict[str, Any]:
    seen = str((row.get("last") or {}).get("seen", ""))[:_LONGEST]
    return {**{key: row.get(key) for key in _CHECK}, "seen": seen, "threshold": row.get("threshold")}


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"gate_numbers": gate_numbers}
