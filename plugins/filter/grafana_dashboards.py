# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards for Grafana that show one app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.module_utils._monitor.grafana import dashboards
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import settings_from

DOCUMENTATION = r"""
name: grafana_dashboards
short_description: Dashboards of Grafana for one app
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Gives the model of each dashboard, for Grafana 8 and newer. C(main) has the eight panels to look at first,
    C(postgres) the database, C(cut-over) both colours side by side, C(self-check) the monitoring itself.
  - They draw what P(golive.cutover.prometheus_rules#filter) records; their bounds are those of the alerts, and each
    panel links to the runbooks of its alerts. What is not there has no panel.
positional: _input
options:
  _input:
    description: What is watched, as for P(golive.cutover.prometheus_rules#filter).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the main dashboard where Grafana reads it
  ansible.builtin.copy:
    dest: /var/lib/grafana/dashboards/shop.json
    content: "{{ ({'app': 'shop', 'database': 'none'} | golive.cutover.grafana_dashboards).main | to_nice_json }}"
    mode: "0644"
"""

RETURN = r"""
_value:
  description: Each dashboard by its name.
  type: dict
"""


def grafana_dashboards(wish: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The dashboards. Raises AnsibleFilterError that names every wrong setting."""
    try:
        return dashboards(settings_from(wish))
    except ValueError as error:
        raise AnsibleFilterError(f"No dashboard can be made: {error}.") from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"grafana_dashboards": grafana_dashboards}
