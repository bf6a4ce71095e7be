# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``kube_rollback``: return a workload to an earlier revision."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_rollback
short_description: Return a Deployment or StatefulSet to any earlier revision, and follow it
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Replaces the pod template of a workload by that of an earlier revision, and nothing else. Replicas, annotations and
    everything outside the template stay.
  - Revisions are ReplicaSets or ControllerRevisions that the workload owns by UID.
  - The write fails if something else changed the workload since it was read.
  - Pods of a StatefulSet that never became Ready on the revision that is left are deleted, because their controller
    would wait for them for ever.
  - The rollout is followed like M(golive.cutover.kube_track) does it, also when nothing had to be changed.
  - ConfigMaps, Secrets and the database are not rolled back.
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.limits
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - The server judges the change by a dry run, which changes nothing. RV(verdict) is V(pending) then.
  diff_mode:
    description: Returns what has changed, or would change in check mode.
    support: full
    details:
      - Of the pod template. Literal values of environment variables are masked; one that differs is marked.
  idempotent:
    description: A second run with the same options changes nothing.
    support: partial
    details:
      - With O(to_revision). Without it each run goes to the revision before the present one, so that a second run
        returns to where the first began.
options:
  kind:
    description: Kind of the workload.
    type: str
    choices: [Deployment, StatefulSet]
    required: true
  name:
    description: Name of the workload.
    type: str
    required: true
  namespace:
    description: Namespace of the workload.
    type: str
    default: default
  to_revision:
    description:
      - Number of the revision to return to. Without it the one before the present one.
      - Kubernetes gives a revision a new number when it is used again; its former numbers are understood too.
    type: int
  timeout:
    description: Seconds the rollout may take.
    type: float
    default: 300
  soak:
    description: Seconds every pod must stay Ready without a restart.
    type: float
    default: 10
seealso:
  - module: golive.cutover.kube_track
"""

EXAMPLES = r"""
- name: Return to the revision before
  golive.cutover.kube_rollback:
    kind: Deployment
    name: shop
    namespace: shop

- name: Return to a known revision, however often this runs
  golive.cutover.kube_rollback:
    kind: StatefulSet
    name: queue
    namespace: shop
    to_revision: 3
"""

RETURN = r"""
from_revision:
  description: Number of the revision that was left.
  returned: success
  type: int
to_revision:
  description: Number of the revision that was chosen, before it got a new one.
  returned: success
  type: int
replaced_pods:
  description: Names of broken pods that were deleted.
  returned: success
  type: list
  elements: str
verdict:
  description:
    - V(success), V(failure), V(timeout), or V(inconclusive) when the infrastructure is at fault; V(pending) only in
      check mode.
  returned: success
  type: str
cause:
  description: Why it is no success; null after a success and in check mode.
  returned: success
  type: dict
  contains:
    code:
      description: Machine-readable, such as V(image_not_found), V(crash_loop), V(unschedulable) or V(quota_exceeded).
      type: str
      returned: always
    class:
      description:
        - V(R) the release's fault, V(C) its configuration or something it depends on, V(K) capacity, V(I)
          infrastructure; empty for a timeout.
      type: str
      returned: always
    object:
      description: Kind and name of the object at fault.
      type: str
      returned: always
    namespace:
      description: Namespace of that object.
      type: str
      returned: always
    container:
      description: The container at fault; empty when it is none.
      type: str
      returned: always
    message:
      description: The cluster's own words.
      type: str
      returned: always
    logs:
      description: Last log lines of that container. Values of C(no_log) options are masked in them.
      type: list
      elements: str
      returned: always
    hint:
      description: What to try.
      type: str
      returned: always
    seconds:
      description: Seconds from the start of tracking until the cause was named.
      type: float
      returned: always
pods:
  description: Pods of the new revision that were seen last, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the pod.
      type: str
      returned: always
    namespace:
      description: Its namespace.
      type: str
      returned: always
    uid:
      description: Its UID.
      type: str
      returned: always
    node:
      description: The node it is on; empty before it is scheduled.
      type: str
      returned: always
    phase:
      description: Its phase.
      type: str
      returned: always
    ready:
      description: Whether it is Ready with all its containers and readiness gates, and not being deleted.
      type: bool
      returned: always
    restarts:
      description: Restarts of all its containers.
      type: int
      returned: always
    state:
      description: Its state in a word, such as V(Ready) or V(CrashLoopBackOff).
      type: str
      returned: always
seconds:
  description: Seconds the rollout took.
  returned: success
  type: float
revisions:
  description: What exists, with number, former numbers, name, creation time and images.
  returned: when the code is V(no_revision)
  type: list
  elements: dict
code:
  description: Machine-readable code of the failure; that of RV(cause) when there is one.
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.rollback import rollback
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import limits_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **limits_spec(),
        "kind": {"type": "str", "required": True, "choices": ["Deployment", "StatefulSet"]},
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "default": "default"},
        "to_revision": {"type": "int"},
        "timeout": {"type": "float", "default": 300},
        "soak": {"type": "float", "default": 10},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """Roll back and track; raises GoliveError when there is no such revision or the rollout does not succeed."""
    with connected(call) as client:
        return rollback(call, client)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
