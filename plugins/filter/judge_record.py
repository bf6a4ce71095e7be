# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what a record of another system, a CI result or a backup, says about a release."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.plugin_utils._record import record_faults

DOCUMENTATION = r"""
name: judge_record
short_description: Say what a CI result or a backup's record says about a release
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Looks at a JSON object and names everything in it that speaks against a release at once.
  - A member that is wanted and missing speaks against it, and so does a time that cannot be read.
positional: _input, rules
options:
  _input:
    description: The JSON object.
    type: raw
    required: true
  rules:
    description:
      - C(version_key), C(status_key) and C(finished_key) name the members, C(passed) lists the good statuses, and
        C(max_age_hours) is the greatest age. A key that is empty is not looked at.
    type: dict
    required: true
  version:
    description: The version that is to be released.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Stop when the tests of this version did not pass
  ansible.builtin.assert:
    that: verdict.faults | length == 0
    fail_msg: "{{ verdict.faults | join(', ') }}"
  vars:
    record: "{{ lookup('ansible.builtin.file', 'ci.json') | from_json }}"
    rules: {version_key: version, status_key: status, finished_key: finished, passed: [success], max_age_hours: 24}
    verdict: "{{ record | golive.cutover.judge_record(rules, version='2.4.2') }}"
"""

RETURN = r"""
_value:
  description: C(faults), a phrase for everything that speaks against the release, and C(told), the record in one line.
  type: dict
  sample: {faults: ["it is failed, not success"], told: "2.4.2, failed, 0.4 h old"}
"""


def judge_record(
    record: Any, rules: Mapping[str, Any], version: str = "", now: datetime | None = None
) -> dict[str, Any]:
    """Faults and one line; see the documentation above."""
    faults, told = record_faults(record, rules, version, now or datetime.now(timezone.utc))
    return {"faults": faults, "told": told}


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"judge_record": judge_record}
