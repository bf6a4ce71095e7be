# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make checks for a gate of facts of a server's health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_checks import checks_of

DOCUMENTATION = r"""
name: pg_health_checks
short_description: Facts of a PostgreSQL server's health as checks of a gate
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Makes checks of kind V(sql) for M(golive.cutover.health_gate) of facts that M(golive.cutover.pg_health) knows, with
    the same query and the same thresholds. The check of a fact is named C(pg_) and its name.
  - A check fails beyond the threshold, and is inconclusive where the value cannot be seen.
  - The fact C(disk_free) cannot be a check, because no SQL tells it.
positional: _input, postgresql
options:
  _input:
    description: Names of the facts.
    type: list
    elements: str
    required: true
  postgresql:
    description: Where and as whom to connect, as in M(golive.cutover.health_gate).
    type: dict
    default: {}
  tunnel:
    description: The Service or pod to go through, as in M(golive.cutover.health_gate).
    type: dict
  thresholds:
    description: Other thresholds, as in M(golive.cutover.pg_health).
    type: dict
    default: {}
  fails_at:
    description: The threshold at which a check fails. A fact without one for V(warning) fails at its critical one.
    type: str
    choices: [warning, critical]
    default: critical
seealso:
  - plugin: golive.cutover.pg_health
    plugin_type: module
  - plugin: golive.cutover.health_gate
    plugin_type: module
"""

EXAMPLES = r"""
- name: Pass only while the database has connections left and nobody waits long for a lock
  golive.cutover.health_gate:
    checks: "{{ ['connections', 'lock_wait'] | golive.cutover.pg_health_checks(database, fails_at='warning') }}"
  vars:
    database: {host: db.example.org, database: shop, user: monitor, password_secret: {namespace: shop, name: monitor}}
"""

RETURN = r"""
_value:
  description: The checks, as O(golive.cutover.health_gate#module:checks) takes them.
  type: list
  elements: dict
"""


def pg_health_checks(
    names: Sequence[str],
    postgresql: Mapping[str, Any] | None = None,
    tunnel: Mapping[str, Any] | None = None,
    thresholds: Mapping[str, Any] | None = None,
    fails_at: str = "critical",
) -> list[dict[str, Any]]:
    """The checks; see the documentation above. Raises AnsibleFilterError for wrong options."""
    options = {"postgresql": dict(postgresql or {}), **({"tunnel": dict(tunnel)} if tunnel else {})}
    try:
        return checks_of(list(names), options, thresholds, fails_at)
    except GoliveError as error:
        raise AnsibleFilterError(" ".join(filter(None, (error.message, error.hint)))) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"pg_health_checks": pg_health_checks}
