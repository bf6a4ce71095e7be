# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is live."""

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_info
short_description: Show which colour of an app takes the traffic, and what could make a switch unsafe
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Reads the live Service of an app, both colours, the endpoints and the data plane. It changes nothing.
  - Parts that this user may not read, such as nodes, are left out.
options:
  service:
    description:
      - Name of the live Service, which is also the app's. Deployments and fixed Services are C(<service>-blue) and
        C(<service>-green).
    type: str
    required: true
  namespace:
    description: Namespace of the app.
    type: str
    required: true
  colour_key:
    description: Label that holds the colour.
    type: str
    default: golive.cutover/colour
  driver:
    description:
      - What is changed to move traffic, as of M(golive.cutover.traffic_switch).
      - With V(gateway) the weights say what is live. Before there is such a route, the live Service does.
    type: str
    choices: [service, gateway, replicas]
    default: service
  gateway:
    description: Where the weights are. Only for O(driver=gateway).
    type: dict
    suboptions:
      route:
        description: Name of the HTTPRoute.
        type: str
        required: true
      rule:
        description: Name or number, counted from 0, of its rule.
        type: str
        default: '0'
      namespace:
        description: Namespace of the HTTPRoute. Without it, O(namespace).
        type: str
  accept_managers:
    description:
      - Field managers, or V(argocd), V(flux), V(helm), that are known to leave the selector of the live Service alone.
    type: list
    elements: str
    default: []
  way_back:
    description:
      - Also say how a watcher without drivers gives one colour all traffic, from wherever a run that holds O(lease) may
        have put it. The watcher outlives the run.
      - Not for O(driver=replicas).
    type: dict
    suboptions:
      to:
        description: Colour that gets all traffic back.
        type: str
        choices: [blue, green]
        required: true
      shares:
        description: Percents that the run gives the other colour on its way, beside 1 and 100.
        type: list
        elements: int
        default: []
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing, so there is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
seealso:
  - module: golive.cutover.traffic_switch
"""

EXAMPLES = r"""
- name: Look at shop
  golive.cutover.traffic_info:
    service: shop
    namespace: shop
  register: traffic

- name: Say what is live
  ansible.builtin.debug:
    msg: "{{ traffic.state }}, {{ traffic.live }}"
"""

RETURN = r"""
state:
  description:
    - V(LIVE) when one colour takes the traffic, V(OVERLAP) when both do, V(ABSENT) without the Service, V(FOREIGN)
      when its selector is something else.
  returned: always
  type: str
reason:
  description: Why the state is V(ABSENT) or V(FOREIGN), or that there is no such HTTPRoute.
  returned: always
  type: str
live:
  description: Colour that takes the traffic; None unless the state is V(LIVE).
  returned: always
  type: str
standby:
  description: The other colour; None unless the state is V(LIVE).
  returned: always
  type: str
leaving:
  description: Colour that an unfinished switch is leaving.
  returned: always
  type: str
previous:
  description: Colour that was live before the last switch.
  returned: always
  type: str
switched_at:
  description: Time of the last switch.
  returned: always
  type: str
driver:
  description: What is changed to move traffic.
  returned: always
  type: str
  sample: service
weights:
  description:
    - Percent of traffic by colour. For V(service), of the endpoints behind the live Service. None when the state is
      V(ABSENT) or V(FOREIGN).
  returned: always
  type: dict
  sample: {blue: 90, green: 10}
gateway:
  description: The rule of the HTTPRoute; None with other drivers.
  returned: always
  type: dict
  contains:
    route:
      description: Name of the HTTPRoute.
      type: str
    namespace:
      description: Its namespace.
      type: str
    rule:
      description: The rule, as it was asked for.
      type: str
    generation:
      description: The newest generation of the route.
      type: int
    faults:
      description:
        - What the conditions of the route say is wrong, with C(code) and C(message). An empty list does not prove that
          proxies follow.
      type: list
    canary_users:
      description: Whether a rule of ours sends chosen users to one colour.
      type: bool
    mirror:
      description: Percent of requests that are copied.
      type: int
    endpoints:
      description: Ready endpoints of each colour's own Service.
      type: dict
selector:
  description: Selector of the live Service.
  returned: always
  type: dict
colours:
  description: Colours that have a Deployment.
  returned: always
  type: list
  elements: dict
  contains:
    colour:
      description: V(blue) or V(green).
      type: str
    deployment:
      description: Name of its Deployment.
      type: str
    replicas:
      description: Wanted pods.
      type: int
    ready:
      description: Ready pods.
      type: int
    image:
      description: Image of the first container.
      type: str
    revision:
      description: Revision of the Deployment.
      type: str
    release:
      description: Release that is recorded on the Deployment.
      type: str
    version:
      description: Version that is recorded on the Deployment.
      type: str
    state:
      description: What the release flow recorded of it, such as V(live), V(standby) or V(returned).
      type: str
    endpoints:
      description: Its pods behind the live Service.
      type: int
endpoints:
  description: Endpoints of the live Service over all EndpointSlices.
  returned: always
  type: dict
  contains:
    ready:
      description: Pods that take traffic.
      type: int
    every:
      description: Pods that are named, ready or not.
      type: int
    slices:
      description: Number of EndpointSlices.
      type: int
    by_family:
      description: Ready endpoints by address family.
      type: dict
way_back:
  description: What O(way_back) asked for. None without it.
  returned: always
  type: dict
  contains:
    colour:
      description: Colour that gets all traffic back.
      type: str
    serves:
      description: Name of its own Service.
      type: str
    rows:
      description:
        - Objects to change, in this order, with C(path), C(name), the C(service) whose endpoints follow, C(patch) and
          C(notes), which are annotations, with C(dated) for that of the time.
        - C(here) are the values that mean that traffic is back, C(there) those that the run may have written, each by
          JSON pointer. They count only with one of the fencing C(tokens).
      type: list
proxy_mode:
  description: How Services are carried out (V(iptables), V(ipvs), V(nftables), V(cilium)); None when it cannot be read.
  returned: always
  type: str
hazards:
  description: What about this data plane makes a switch unsafe or hard to prove.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: Name of the hazard.
      type: str
    severity:
      description: V(refuse) when M(golive.cutover.traffic_switch) refuses to work, else V(warn).
      type: str
    message:
      description: What was found.
      type: str
    hint:
      description: What to do about it.
      type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._traffic.dispatch import app_of
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_driver import GatewayDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.info import read_info
from ansible_collections.golive.cutover.plugins.module_utils._traffic.way_back import way_back

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "service": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "colour_key": {"type": "str", "default": "golive.cutover/colour", "no_log": False},
        "driver": {"type": "str", "choices": ["service", "gateway", "replicas"], "default": "service"},
        "gateway": {
            "type": "dict",
            "options": {
                "route": {"type": "str", "required": True},
                "rule": {"type": "str", "default": "0"},
                "namespace": {"type": "str"},
            },
        },
        "accept_managers": {"type": "list", "elements": "str", "default": []},
        "way_back": {
            "type": "dict",
            "options": {
                "to": {"type": "str", "choices": ["blue", "green"], "required": True},
                "shares": {"type": "list", "elements": "int", "default": []},
            },
        },
    },
    "required_if": [("driver", "gateway", ["gateway"])],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    with connected(call) as client:
        app = app_of(call, client)
        by_route = GatewayDriver(call, client, app) if params["driver"] == GatewayDriver.kind else None
        seen = read_info(client, app, tuple(params["accept_managers"] or ()), by_route)
        back = way_back(app, by_route, params) if params["way_back"] else None
        return {"changed": False, **seen, "driver": params["driver"], "way_back": back}


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
