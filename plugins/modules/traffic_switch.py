# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move live traffic between the colours of an app."""

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_switch
short_description: Move live traffic from one colour of an app to the other without a failed request
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Changes the selector of the live Service from the old colour to both colours and then to the new one, and proves
    each half by what EndpointSlices, nodes and fresh connections show.
  - Every write holds only for the state that was read. A write whose outcome is unknown is looked at, never repeated
    blindly.
  - When the new colour does not take over, or that cannot be proven in time, traffic is switched back unless
    O(on_failure) says otherwise, and the task fails and says so.
  - A run that was killed in the middle is finished, or taken back, by the next one. The state is read from the Service.
  - Autoscalers of the colours keep them from now on at the size that the move and its return need, until the old colour
    has settled. When the old colour grows while both serve, the new one follows before it gets more.
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
  to:
    description: Colour that shall take the traffic.
    type: str
    choices: [blue, green]
    required: true
  from:
    description: Colour that is expected to be live before. Only a check against a mistake; it must not be O(to).
    type: str
    choices: [blue, green]
  colour_key:
    description: Label that holds the colour.
    type: str
    default: golive.cutover/colour
  driver:
    description:
      - What is changed to move traffic. A driver that lacks a requested feature is refused with code V(unsupported)
        before anything changes.
      - V(service) changes the selector of the live Service. It moves all traffic at once.
      - V(gateway) changes the weights of an HTTPRoute of the Gateway API.
      - V(replicas) lets both colours serve behind the live Service and gives each a share by its number of pods. An
        autoscaler would change the shares, so that it is refused for an O(weight) below 100, and nothing grows.
    type: str
    choices: [service, gateway, replicas]
    default: service
  weight:
    description: Percent of traffic that O(to) gets when the task ends, from 1 to 100.
    type: int
    default: 100
  pods:
    description:
      - Limits of O(driver=replicas). The colour that is left keeps the pods that carried all traffic, so that a return
        needs no new pod; the other one gets as many as the share needs.
    type: dict
    suboptions:
      most:
        description: Pods of both colours together. Without it, twice those that carried all traffic.
        type: int
      tolerance:
        description: Percentage points by which the share may differ from O(weight). The real one is RV(weights).
        type: int
        default: 5
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
  match:
    description:
      - Requests that always go to O(to), whatever the weights say. Only for O(driver=gateway).
    type: dict
    suboptions:
      header:
        description: Name of the request header that is looked at.
        type: str
      cookie:
        description: Name of the cookie that is looked at.
        type: str
      value:
        description: What the header or cookie must hold.
        type: str
        required: true
  mirror:
    description:
      - Percent of requests that are copied to O(to); the answers of the copies are dropped. Only for
        O(driver=gateway).
    type: int
    default: 0
  settle:
    description:
      - What becomes of the other colour once all traffic is proven to be on O(to). Without it, it stays as it is.
      - Its open work is counted until nothing is left or the time is over. Then it shrinks one pod at a time, the pod
        with the least open work first, each one seen gone before the next.
      - What goes wrong here leaves the rest of the other colour up, and is a warning. Live traffic is not touched.
    type: dict
    suboptions:
      replicas:
        description: Pods that stay, so that a return needs no new ones.
        type: int
        required: true
      timeout:
        description:
          - Seconds that open work may take. When the Service's annotations name a longer drain time of its load
            balancer, that counts.
        type: float
        default: 300
      count:
        description:
          - How open work is counted. V(metric) reads O(settle.metric) of each pod. V(sockets) reads the table of
            connections of each pod with C(cat) in one of its containers. V(none) does not count, and waits only for a
            load balancer.
        type: str
        choices: [none, metric, sockets]
        default: none
      metric:
        description: A gauge of open work on a Prometheus text page of each pod, reached by a port-forward.
        type: dict
        suboptions:
          name:
            description: Name of the metric; all its series of a pod are added.
            type: str
            required: true
          path:
            description: Path of the page.
            type: str
            default: /metrics
          port:
            description: Number or name of the port. Without it, the pod's only one.
            type: str
      sockets:
        description: Where and what to count for O(settle.count=sockets).
        type: dict
        suboptions:
          container:
            description: Container that has C(cat). Without it, the pod's default one.
            type: str
          port:
            description: Port whose connections count. Without it, every port that the pod declares.
            type: int
      nudge:
        description: A request to each pod beforehand that asks the app to end its connections.
        type: dict
        suboptions:
          path:
            description: Path of the app's drain endpoint.
            type: str
            required: true
          method:
            description: Method of the request.
            type: str
            default: POST
          port:
            description: Number or name of the port. Without it, the pod's only one.
            type: str
  overlap:
    description:
      - Whether both colours serve for a moment. Without it, load balancers that address pods may drop requests.
    type: bool
    default: true
  soak:
    description: Seconds that every new pod must be ready without a restart before anything changes.
    type: float
    default: 10
  soaked:
    description:
      - Pods that an earlier task has seen ready for so long, as RV(golive.cutover.kube_track#module:pods) of it. They
        are not waited for again unless they were not ready, or started anew, in between.
      - Of each pod C(uid), C(ready_since) and C(restarts) count.
    type: list
    elements: dict
    default: []
  on_failure:
    description:
      - What becomes of traffic when the move has begun and fails, its proof included. V(return) switches it back to the
        colour that had it. V(stay) is for leaving a colour that must not get traffic again; the next run goes on.
      - A move that only takes back an unfinished one always stays, because what it leaves was never proven.
    type: str
    choices: [return, stay]
    default: return
  require_proof:
    description:
      - Weakest proof that is accepted. The strongest one that can be had is always taken and reported.
      - V(slice) is what the control plane says. V(node) adds that the kube-proxy of every node has worked off the
        change. V(probe) adds fresh connections to O(probe), enough of them in a row to rule out a stale route.
    type: str
    choices: [slice, node, probe]
    default: node
  probe:
    description:
      - Address of live traffic, as clients use it. It is asked during the whole switch, with fresh and with kept
        connections, and proves the switch at the end.
      - It is asked from where the task runs. A port-forward would not do, because it bypasses what carries the traffic.
    type: dict
    suboptions:
      url:
        description:
          - An http or https address that answers quickly and changes nothing.
          - Only an answer with a status below 400 proves anything, whatever its O(probe.header) says.
        type: str
        required: true
      header:
        description: Header of the answer that names the colour. Empty when there is none; then O(probe) only counts.
        type: str
        default: X-App-Colour
      expect:
        description: What the new colour answers in that header. Without it, O(to).
        type: str
      timeout:
        description: Seconds for one request.
        type: float
        default: 2
      rate:
        description: Requests per second on each of the two streams; the grain of RV(downtime_ms) is one over it.
        type: float
        default: 20
      validate_certs:
        description: Whether the certificate is verified.
        type: bool
        default: true
      ca_cert:
        description: File with the certificate authority of the address.
        type: path
  accept_managers:
    description:
      - Field managers, or V(argocd), V(flux), V(helm), that are known to leave the selector of the live Service alone.
    type: list
    elements: str
    default: []
  ready_timeout:
    description: Seconds for the new colour to be up, beside O(soak).
    type: float
    default: 120
  overlap_timeout:
    description: Seconds until the endpoints of both colours are in all slices.
    type: float
    default: 30
  outside_timeout:
    description: Seconds until O(probe) reaches the new colour during the overlap.
    type: float
    default: 120
  narrow_timeout:
    description: Seconds until only the new colour is in the slices.
    type: float
    default: 30
  proof_timeout:
    description: Seconds for the proof.
    type: float
    default: 60
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Reads and judges everything and lets the API server judge each patch (dry run), but writes nothing.
    support: full
  diff_mode:
    description: Shows the selector before and after.
    support: full
  idempotent:
    description: Traffic that is where it should be is proven and left alone.
    support: full
notes:
  - Needs C(get) and C(patch) on Services, C(get) on Deployments, C(list) on pods, ReplicaSets and EndpointSlices.
    Level V(node) needs C(list) on nodes and C(get) on C(nodes/proxy), or C(create) on C(pods/portforward) in
    C(kube-system).
  - O(settle) also needs C(patch) on Deployments and pods; counting needs C(create) on C(pods/portforward) or
    C(pods/exec).
seealso:
  - module: golive.cutover.traffic_info
  - module: golive.cutover.kube_track
  - module: golive.cutover.health_gate
"""

EXAMPLES = r"""
- name: Move live traffic of shop to green
  golive.cutover.traffic_switch:
    service: shop
    namespace: shop
    to: green
    probe:
      url: https://shop.example.org/healthz

- name: Go back, at once
  golive.cutover.traffic_switch:
    service: shop
    namespace: shop
    to: blue
    soak: 0
"""

RETURN = r"""
live:
  description: Colour that takes the traffic now. None while both do, which only a failure can leave.
  returned: always
  type: str
previous:
  description: Colour that took it before.
  returned: success
  type: str
driver:
  description: What was changed to move traffic.
  returned: success
  type: str
  sample: service
weights:
  description: Percent of traffic by colour. In check mode, what it would be.
  returned: success
  type: dict
  sample: {blue: 0, green: 100}
proof:
  description: What the switch was proven by. None in check mode.
  returned: success
  type: dict
  contains:
    level:
      description: V(slice), V(node) or V(probe).
      type: str
    slice:
      description: Number of endpoints and of EndpointSlices.
      type: dict
    node:
      description: Number of nodes whose kube-proxy has worked off the change, and seconds.
      type: dict
    probe:
      description: Requests that were asked, how many in a row were needed and came, from which host, and seconds.
      type: dict
drain:
  description: What became of the other colour. None without O(settle).
  returned: success
  type: dict
  contains:
    from:
      description: Pods before.
      type: int
    to:
      description: Pods after. In check mode, what it would be.
      type: int
    wanted:
      description: Pods that should stay.
      type: int
    counted_by:
      description: V(none), V(metric) or V(sockets).
      type: str
    open_before:
      description: Open work at first. None when it was not counted.
      type: int
    open_after:
      description: Open work after the wait.
      type: int
    waited_s:
      description: Seconds of the wait.
      type: float
    limit_s:
      description: Seconds that the wait could take.
      type: float
    deadline_reached:
      description: Whether work was still open when the time was over.
      type: bool
    nudged:
      description: Pods that were asked to end their connections. None when none were to be.
      type: int
    removed:
      description: Removed pods in their order, with the seconds each took and the work last seen open on it.
      type: list
      elements: dict
    cut:
      description:
        - Work that was last seen open on a removed pod, C(count) and C(pods) with count, age and peers. An age counts
          from when it was first seen. None when it was not counted.
      type: dict
    trouble:
      description: Why the rest of the colour stayed.
      type: str
returned:
  description: Whether traffic was switched back after a failure.
  returned: always
  type: bool
manual_patch:
  description: Command that brings the old colour back by hand.
  returned: when switching back failed
  type: str
hazards:
  description: What about this data plane makes a switch unsafe or hard to prove, as of M(golive.cutover.traffic_info).
  returned: success, or when one of them forbids the switch
  type: list
  elements: dict
steps:
  description: Each step with its seconds, result and numbers.
  returned: always
  type: list
  elements: dict
timings:
  description: Seconds by step, and C(total).
  returned: always
  type: dict
ledger:
  description:
    - Requests of the probe stream, per stream (C(fresh), C(kept)) with sent, ok, failed by kind, by identity, kept
      connections that had to be reopened, and the slowest in milliseconds. None without a probe.
  returned: always
  type: dict
series:
  description:
    - What the probe stream saw, one row per second with C(t) (seconds since the epoch), C(ok) by identity, C(failed) by
      kind, C(p50_ms), C(p95_ms) and C(p99_ms). None without a probe.
  returned: always
  type: list
  elements: dict
downtime_ms:
  description: Milliseconds in which requests of the probe stream failed. None without a probe.
  returned: always
  type: float
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._traffic.dispatch import run_switch

_COLOURS = ["blue", "green"]
SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "service": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "to": {"type": "str", "choices": _COLOURS, "required": True},
        "from": {"type": "str", "choices": _COLOURS},
        "colour_key": {"type": "str", "default": "golive.cutover/colour", "no_log": False},
        "driver": {"type": "str", "choices": ["service", "gateway", "replicas"], "default": "service"},
        "weight": {"type": "int", "default": 100},
        "pods": {"type": "dict", "options": {"most": {"type": "int"}, "tolerance": {"type": "int", "default": 5}}},
        "gateway": {
            "type": "dict",
            "options": {
                "route": {"type": "str", "required": True},
                "rule": {"type": "str", "default": "0"},
                "namespace": {"type": "str"},
            },
        },
        "match": {
            "type": "dict",
            "options": {
                "header": {"type": "str"},
                "cookie": {"type": "str"},
                "value": {"type": "str", "required": True},
            },
            "mutually_exclusive": [["header", "cookie"]],
            "required_one_of": [["header", "cookie"]],
        },
        "mirror": {"type": "int", "default": 0},
        "settle": {
            "type": "dict",
            "options": {
                "replicas": {"type": "int", "required": True},
                "timeout": {"type": "float", "default": 300},
                "count": {"type": "str", "choices": ["none", "metric", "sockets"], "default": "none"},
                "metric": {
                    "type": "dict",
                    "options": {
                        "name": {"type": "str", "required": True},
                        "path": {"type": "str", "default": "/metrics"},
                        "port": {"type": "str"},
                    },
                },
                "sockets": {
                    "type": "dict",
                    "options": {"container": {"type": "str"}, "port": {"type": "int"}},
                },
                "nudge": {
                    "type": "dict",
                    "options": {
                        "path": {"type": "str", "required": True},
                        "method": {"type": "str", "default": "POST"},
                        "port": {"type": "str"},
                    },
                },
            },
        },
        "overlap": {"type": "bool", "default": True},
        "soak": {"type": "float", "default": 10},
        "soaked": {"type": "list", "elements": "dict", "default": []},
        "on_failure": {"type": "str", "choices": ["return", "stay"], "default": "return"},
        "require_proof": {"type": "str", "choices": ["slice", "node", "probe"], "default": "node"},
        "probe": {
            "type": "dict",
            "options": {
                "url": {"type": "str", "required": True},
                "header": {"type": "str", "default": "X-App-Colour"},
                "expect": {"type": "str"},
                "timeout": {"type": "float", "default": 2},
                "rate": {"type": "float", "default": 20},
                "validate_certs": {"type": "bool", "default": True},
                "ca_cert": {"type": "path"},
            },
        },
        "accept_managers": {"type": "list", "elements": "str", "default": []},
        "ready_timeout": {"type": "float", "default": 120},
        "overlap_timeout": {"type": "float", "default": 30},
        "outside_timeout": {"type": "float", "default": 120},
        "narrow_timeout": {"type": "float", "default": 30},
        "proof_timeout": {"type": "float", "default": 60},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    with connected(call) as client:
        return run_switch(call, client)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
