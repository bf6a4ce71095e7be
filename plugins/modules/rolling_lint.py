# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what would drop requests when a Deployment is updated in place."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rolling_lint
short_description: Refuse a Deployment whose update in place would drop requests
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Looks at a Deployment as it is about to be applied, with its disruption budget, before an update in place begins.
    It changes nothing.
  - Reports all faults at once. They are about C(maxUnavailable), C(maxSurge), probes, C(preStop), the grace period, the
    progress deadline, the disruption budget, the spread over nodes, room in the quotas for the surge, and nodes with
    one pod under the traffic policy V(Local).
options:
  content:
    description:
      - YAML text with the Deployment and its PodDisruptionBudget, such as the result of
        P(ansible.builtin.template#lookup).
    type: str
    required: true
  namespace:
    description: Namespace of the app.
    type: str
    required: true
  service:
    description: Name of the live Service.
    type: str
    required: true
  longest_request:
    description: Seconds of the longest request.
    type: float
    default: 30
  propagation:
    description: Seconds for which the slowest node or load balancer may send requests to a pod that was taken out.
    type: float
    default: 2
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
notes:
  - Quotas that this user may not read are left out.
seealso:
  - module: golive.cutover.kube_track
  - module: golive.cutover.kube_rollback
"""

EXAMPLES = r"""
- name: Look at shop before its pods are replaced
  golive.cutover.rolling_lint:
    content: "{{ lookup('ansible.builtin.template', 'shop.yml.j2') }}"
    namespace: shop
    service: shop
    longest_request: 20
"""

RETURN = r"""
faults:
  description: Everything that was found; empty on success.
  returned: when the objects could be read
  type: list
  elements: dict
  contains:
    code:
      description: Such as V(max_unavailable), V(probes_alike), V(pre_stop_short) or V(quota_exceeded).
      type: str
      returned: always
    message:
      description: What would drop requests, and why.
      type: str
      returned: always
    hint:
      description: What to try.
      type: str
      returned: always
code:
  description: Machine-readable code of the failure; V(many_faults) when there are several of different codes.
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._release.lint import lint

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "content": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "service": {"type": "str", "required": True},
        "longest_request": {"type": "float", "default": 30},
        "propagation": {"type": "float", "default": 2},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """No faults; raises GoliveError with all of them."""
    with connected(call) as client:
        lint(call, client)
    return {"changed": False, "faults": []}


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
