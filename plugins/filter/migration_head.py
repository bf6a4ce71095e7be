# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the migration that a release needs: the newest that adds something."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import newest_version

DOCUMENTATION = r"""
name: migration_head
short_description: Newest migration of a directory that a release needs
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Reads a directory of migrations as M(golive.cutover.db_migrate) does and names the newest one up to a target.
  - Migrations of the phase V(contract) belong to no release, because they wait until none needs what they remove; those
    that run again whenever they change have no place in the order.
positional: _input, layout, target
options:
  _input:
    description: The directory.
    type: path
    required: true
  layout:
    description: How the files are named and made.
    type: str
    choices: [native, flyway, goose, dbmate, golang_migrate, sqitch, alembic]
    default: native
  target:
    description: Version up to which files count, itself included; empty for all.
    type: str
    default: ""
seealso:
  - plugin: golive.cutover.db_migrate
    plugin_type: module
"""

EXAMPLES = r"""
- name: Show the migration that the files lead to
  ansible.builtin.debug:
    msg: "{{ 'migrations' | golive.cutover.migration_head }}"
"""

RETURN = r"""
_value:
  description: Its version as it is written in the file's name; empty when there is none.
  type: str
  sample: "0002"
"""


def migration_head(path: str, layout: str = "native", target: str = "") -> str:
    """The version, or an empty text. Raises AnsibleFilterError for files that cannot be read and an unknown target."""
    try:
        return newest_version(read_layout(str(path), layout), str(target))
    except GoliveError as error:
        raise AnsibleFilterError(" ".join(filter(None, (error.message, error.hint)))) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"migration_head": migration_head}
