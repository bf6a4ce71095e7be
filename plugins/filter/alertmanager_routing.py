# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration of Alertmanager with every credential in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.module_utils._monitor.routing import routing

DOCUMENTATION = r"""
name: alertmanager_routing
short_description: Configuration of Alertmanager for the rules of prometheus_rules
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Gives the configuration, and the names of the Secrets whose keys are expected as files below
    C(/etc/golive/secrets/NAME/KEY).
  - Credentials that stand in a receiver openly are refused.
positional: _input
options:
  _input:
    description:
      - C(receivers) are those of Alertmanager, but for C(NAME_secret) with C(name) and C(key) in place of C(NAME_file),
        such as C(url_secret) for C(url_file).
      - C(receiver) gets what no route takes; empty for the first one. C(heartbeat) gets the alert that always fires.
        C(escalation) gets what stays critical for a quarter of an hour, besides who got it before; empty for nobody.
      - C(routes) are those of Alertmanager; they go before the usual ones. C(muted) are its time intervals, in which
        warnings that none of them takes are kept back.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show who gets what
  ansible.builtin.debug:
    msg: "{{ wish | golive.cutover.alertmanager_routing }}"
  vars:
    wish:
      receivers: [{name: team, webhook_configs: [{url_secret: {name: notify, key: url}}]}]
      receiver: ""
      heartbeat: ""
      escalation: ""
      routes: []
      muted: []
"""

RETURN = r"""
_value:
  description: C(config) for Alertmanager, and C(secrets), names.
  type: dict
"""


def alertmanager_routing(wish: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration. Raises AnsibleFilterError that names every wrong setting."""
    try:
        return routing(wish)
    except ValueError as error:
        raise AnsibleFilterError(f"No alert can be routed: {error}.") from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"alertmanager_routing": alertmanager_routing}
