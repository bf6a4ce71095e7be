# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of an embedded PostgreSQL server from what its container has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.module_utils._postgres.tuning import tuned_for

DOCUMENTATION = r"""
name: tuned_postgres
short_description: PostgreSQL settings that fit a container
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Derives memory, connections, parallel workers, write-ahead log and autovacuum from the resources of a container and
    the size of its volume, for solid state disks and many short transactions.
  - The formulas and their sources are in C(docs/postgres-settings.md).
positional: _input, storage, connections
options:
  _input:
    description: Requests and limits of the container. The limit counts where there is one.
    type: dict
    required: true
  storage:
    description: Size of its volume, such as V(10Gi).
    type: str
    required: true
  connections:
    description: The wanted C(max_connections); without it as many as the memory carries.
    type: int
seealso:
  - plugin: golive.cutover.pg_settings
    plugin_type: module
"""

EXAMPLES = r"""
- name: Show what a server of 2 GiB would run with
  ansible.builtin.debug:
    msg: "{{ {'limits': {'memory': '2Gi', 'cpu': 2}} | golive.cutover.tuned_postgres('20Gi') }}"
"""

RETURN = r"""
_value:
  description: Settings by name.
  type: dict
  sample: {shared_buffers: 512MB, max_connections: 400}
"""


def tuned_postgres(resources: Mapping[str, Any], storage: str, connections: int | None = None) -> dict[str, str | int]:
    """Settings by name. Raises AnsibleFilterError for resources that carry no server."""
    try:
        return tuned_for(resources, str(storage), connections)
    except ValueError as error:
        raise AnsibleFilterError(f"No settings can be derived: {error}.") from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"tuned_postgres": tuned_postgres}
