# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file of an embedded PostgreSQL server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._postgres.setting_values import file_line

DOCUMENTATION = r"""
name: postgres_conf
short_description: Lines of a PostgreSQL configuration file
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Writes settings in the order of their names, as M(golive.cutover.pg_settings) expects them in its file.
  - A setting of null is left out, which is the server's default.
positional: _input
options:
  _input:
    description: Settings by name.
    type: dict
    required: true
seealso:
  - plugin: golive.cutover.pg_settings
    plugin_type: module
"""

EXAMPLES = r"""
- name: Show a file
  ansible.builtin.debug:
    msg: "{{ {'work_mem': '8MB', 'log_connections': true} | golive.cutover.postgres_conf }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: str
  sample: "log_connections = 'on'\nwork_mem = '8MB'\n"
"""


def postgres_conf(settings: Mapping[str, Any]) -> str:
    """One line a setting, each with its end."""
    return "".join(f"{file_line(name, settings[name])}\n" for name in sorted(settings) if settings[name] is not None)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"postgres_conf": postgres_conf}
