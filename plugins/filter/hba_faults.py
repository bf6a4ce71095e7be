# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of pg_hba.conf that PostgreSQL would refuse."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._postgres.hba import hba_faults

DOCUMENTATION = r"""
name: hba_faults
short_description: What is wrong with lines of pg_hba.conf
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - A server that runs goes on without a word when it cannot read its C(pg_hba.conf), and does not start again with it.
    This finds such lines before they are written.
  - It knows types, addresses, masks, methods and the form of options. It does not know which options a method takes,
    and looks up neither databases nor roles. Lines that name a file are refused.
positional: _input
options:
  _input:
    description: Lines as C(pg_hba.conf) would hold them.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse what the server would not take
  ansible.builtin.assert:
    that: postgres_hba | golive.cutover.hba_faults | length == 0
    fail_msg: "{{ postgres_hba | golive.cutover.hba_faults | join('; ') }}"
"""

RETURN = r"""
_value:
  description: One text for each line that is wrong, with the line and what is wrong with it.
  type: list
  elements: str
  sample: ["'hostssl shop anna 10.0.0.0/8 scram': 'scram' is no method; there are trust, reject, scram-sha-256"]
"""


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"hba_faults": hba_faults}
