# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``monitor_info``: what a Prometheus has loaded, and what it reaches."""

from __future__ import annotations

DOCUMENTATION = r"""
module: monitor_info
short_description: Show whether a Prometheus has loaded rules and reaches its targets, and what is wrong
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Asks Prometheus itself. That an object or a file with rules is there does not say that anybody has read it. It
    changes nothing.
  - With O(rule) it finds each Prometheus of the Prometheus Operator that reads that object, and says why the others do
    not. An operator ignores a rule that its selectors do not match without a word.
  - Each group of O(groups) must be loaded with the same rules, and each rule must have been evaluated without an error;
    groups that come round less than once a minute are not waited for.
  - Of each job of O(targets) all targets must be up.
  - What is wrong is a finding and no failure. It fails when the cluster cannot be asked.
options:
  rule:
    description:
      - The PrometheusRule that an operator shall hand to its Prometheus.
      - Without O(prometheus.url) and O(tunnel), the first Prometheus that reads it is asked, through a tunnel to its
        first pod.
    type: dict
    suboptions:
      namespace:
        description: Its namespace.
        type: str
        required: true
      name:
        description: Its name.
        type: str
        required: true
  groups:
    description: Groups of rules as P(golive.cutover.prometheus_rules#filter) makes them.
    type: list
    elements: dict
  targets:
    description: Scrape jobs that are expected.
    type: list
    elements: dict
    suboptions:
      job:
        description: Value of the label C(job).
        type: str
        required: true
      least:
        description: How many targets it has at least.
        type: int
        default: 1
  wait:
    description:
      - Seconds to look again while something is wrong that may get better by itself. In check mode it looks once.
    type: float
    default: 0
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.prometheus
  - golive.cutover.tunnel
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
  - With O(rule) it needs the rights to get it and its namespace, and to list C(prometheuses) of all namespaces.
seealso:
  - plugin: golive.cutover.prometheus_rules
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Wait until the rules of an app are loaded
  golive.cutover.monitor_info:
    rule: {namespace: shop, name: shop-golive}
    groups: "{{ {'app': 'shop', 'database': 'none'} | golive.cutover.prometheus_rules }}"
    targets: [{job: shop}]
    wait: 120
  register: monitoring

- name: Refuse alerts that nobody reads
  ansible.builtin.assert:
    that: monitoring.ok
    fail_msg: "{{ monitoring.findings | map(attribute='message') | join(' ') }}"
"""

RETURN = r"""
ok:
  description: Whether everybody could be asked, and nothing is wrong.
  returned: success
  type: bool
findings:
  description: All that is wrong.
  returned: success
  type: list
  elements: dict
  contains:
    part:
      description: V(operator), V(prometheus), V(rules) or V(targets).
      type: str
    code:
      description:
        - V(operator_absent), V(no_server) or V(rule_ignored) when no Prometheus reads O(rule). Waiting does not change
          these.
        - V(prometheus_down), V(group_missing), V(group_differs), V(rule_unevaluated), V(rule_fails),
          V(target_missing) or V(target_down).
      type: str
    message:
      description: The same for a person.
      type: str
    hint:
      description: What to set; null when nothing is to be set.
      type: str
operator:
  description: Whether the cluster knows the kinds of the Prometheus Operator.
  returned: success
  type: bool
servers:
  description: Each Prometheus of the operator; empty without O(rule).
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: Its namespace.
      type: str
    name:
      description: Its name.
      type: str
    reads:
      description: Whether it reads O(rule).
      type: bool
    reason:
      description: Why it does not; null when it does.
      type: str
groups:
  description: Each of O(groups), as far as Prometheus was asked.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    rules:
      description: How many rules it shall have.
      type: int
    loaded:
      description: How many it has.
      type: int
    healthy:
      description: How many of them were evaluated without an error.
      type: int
targets:
  description: Each of O(targets), as far as Prometheus was asked.
  returned: success
  type: list
  elements: dict
  contains:
    job:
      description: Value of the label C(job).
      type: str
    up:
      description: How many of its targets are up.
      type: int
    targets:
      description: How many it has.
      type: int
seconds:
  description: How long it has looked.
  returned: success
  type: float
code:
  description: Machine-readable code of the failure, such as V(unreachable), V(forbidden) or V(not_found).
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
from ansible_collections.golive.cutover.plugins.module_utils._monitor.info import monitor_info
from ansible_collections.golive.cutover.plugins.module_utils._monitor.login import prometheus_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **tunnel_spec(),
        "rule": {
            "type": "dict",
            "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
        },
        "groups": {"type": "list", "elements": "dict"},
        "targets": {
            "type": "list",
            "elements": "dict",
            "options": {"job": {"type": "str", "required": True}, "least": {"type": "int", "default": 1}},
        },
        **prometheus_spec(),
        "wait": {"type": "float", "default": 0},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return monitor_info(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
