# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the exporter for a ConfigMap."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._backup import exported as of_backups
from ansible_collections.golive.cutover.plugins.module_utils._migrate import exported as of_migrations
from ansible_collections.golive.cutover.plugins.module_utils._monitor.exporter_archive import exporter_archive
from ansible_collections.golive.cutover.plugins.module_utils._postgres import exported as of_database
from ansible_collections.golive.cutover.plugins.module_utils._postgres import exported_secrets as of_secrets
from ansible_collections.golive.cutover.plugins.module_utils._release import exported as of_releases

# What each capability tells; none of them knows another.
GIVEN = (of_database, of_secrets, of_migrations, of_releases, of_backups)

DOCUMENTATION = r"""
name: exporter_program
short_description: Program that serves what only this collection knows of an app
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Gives a zip archive in Base64 that C(python3) runs, for C(binaryData) of a ConfigMap. It needs Python 3.10 or newer,
    psycopg2 and prometheus_client.
positional: _input
options:
  _input:
    description: Nothing but an empty text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show how large it is
  ansible.builtin.debug:
    msg: "{{ '' | golive.cutover.exporter_program | b64decode(encoding='latin-1') | length }}"
"""

RETURN = r"""
_value:
  description: The archive in Base64.
  type: str
"""


def exporter_program(_empty: str) -> str:
    """The archive in Base64."""
    return exporter_archive([one.__name__ for one in GIVEN])


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"exporter_program": exporter_program}
