# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool of a PgBouncer before a PostgreSQL server."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.module_utils._postgres.pool_size import pool_size

DOCUMENTATION = r"""
name: pool_size
short_description: How many connections each pod of a pooler may open
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - All pods together, and the one more that stands there while they are replaced, take 80 % of the connections that
    the server has for logins that are no superuser. The rest is for migrations, backups and monitoring.
  - The formula is V(floor(0.8 * (max_connections - 3\) / (pods + 1\)\) - 2), where two connections ask for passwords.
positional: _input, pods
options:
  _input:
    description: The C(max_connections) of the server.
    type: int
    required: true
  pods:
    description: Pods of the pooler.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Show the pool of two pods before a server of 512 MiB
  ansible.builtin.debug:
    msg: "{{ 102 | golive.cutover.pool_size(2) }}"
"""

RETURN = r"""
_value:
  description: C(default_pool_size) and C(max_db_connections) of PgBouncer.
  type: int
  sample: 24
"""


def _pool_size(max_connections: int, pods: int) -> int:
    """Raises AnsibleFilterError where a pod would get no connection."""
    try:
        return pool_size(int(max_connections), int(pods))
    except ValueError as error:
        raise AnsibleFilterError(f"No pool can be made: {error}.") from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"pool_size": _pool_size}
