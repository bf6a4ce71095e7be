# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``monitor_page``: what Prometheus has measured of an app, on a page that needs nothing else."""

from __future__ import annotations

DOCUMENTATION = r"""
module: monitor_page
short_description: Draw the dashboards of an app on one HTML page, where no Grafana is
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Asks Prometheus for every query of the dashboards that P(golive.cutover.grafana_dashboards#filter) makes, and draws
    them as one file of HTML. The page loads nothing and runs nothing, so that it can be sent and kept with an incident.
  - On top stand the alerts that fire, with their runbooks; below the panels, what happened in that time.
  - A query without data is named on the page, with the reason where one is usual.
options:
  output:
    description: File of the page, which only its owner can read. Its directory is created.
    type: path
    required: true
  watched:
    description:
      - What is watched, as for P(golive.cutover.prometheus_rules#filter). Queries of what is not there are left out.
    type: dict
    required: true
  dashboards:
    description: Which dashboards are drawn, in their own order.
    type: list
    elements: str
    choices: [main, postgres, cut-over, self-check]
    default: [main]
  hours:
    description: How far it looks back, at most 744.
    type: float
    default: 6
  interval:
    description: Seconds between two scrapes of that Prometheus.
    type: int
    default: 15
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.prometheus
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: Can run in check mode; it asks Prometheus and writes nothing.
    support: full
  diff_mode:
    description: A page of another moment differs everywhere, so there is nothing to show.
    support: none
  idempotent:
    description: Each page shows another moment.
    support: none
seealso:
  - plugin: golive.cutover.grafana_dashboards
    plugin_type: filter
  - module: golive.cutover.monitor_info
"""

EXAMPLES = r"""
- name: Draw the last hour of a shop
  golive.cutover.monitor_page:
    output: /var/lib/golive/shop.html
    watched: {app: shop}
    dashboards: [main, cut-over]
    hours: 1
    tunnel: {namespace: shop, service: shop-prometheus}
"""

RETURN = r"""
page:
  description: Path of the page.
  returned: success
  type: str
alerts:
  description: Names of the alerts that fire, without the Watchdog.
  returned: success
  type: list
  elements: str
panels:
  description: Each panel that was drawn.
  returned: success
  type: list
  elements: dict
  contains:
    title:
      description: Its title.
      type: str
    series:
      description: How many series it has.
      type: int
    empty:
      description: Its queries without data, each with C(query), its name, and C(reason), null where none is known.
      type: list
      elements: dict
code:
  description: Machine-readable code of the failure, such as V(prometheus_down), V(not_writable) or V(invalid).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboards import DASHBOARDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.login import prometheus_spec
from ansible_collections.golive.cutover.plugins.module_utils._monitor.page_verb import monitor_page

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **tunnel_spec(),
        "output": {"type": "path", "required": True},
        "watched": {"type": "dict", "required": True},
        "dashboards": {
            "type": "list",
            "elements": "str",
            "choices": [board.name for board in DASHBOARDS],
            "default": ["main"],
        },
        "hours": {"type": "float", "default": 6},
        "interval": {"type": "int", "default": 15},
        **prometheus_spec(),
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return monitor_page(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
