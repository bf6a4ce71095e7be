# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``kube_track``: follow objects until they have arrived, or say why they cannot."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_track
short_description: Follow workloads to success, or fail fast with the cause
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Follows Deployments, StatefulSets, DaemonSets, Jobs, PersistentVolumeClaims and pods by watching them, and ends as
    soon as the outcome is certain.
  - A workload has arrived when its controller has seen the present generation, all wanted pods run the new revision,
    all of them are Ready with their readiness gates, no older pod is left, and all this has lasted for O(soak).
  - What can no longer succeed ends the task with a cause. Examples are an image that does not exist, a container that
    keeps crashing, a missing Secret, a pod that no node can take, an exceeded quota, a paused rollout, or an object
    that was deleted meanwhile.
  - Only pods of the new revision are judged. They are found by their owner's UID, not by labels.
  - The task fails unless RV(verdict) is V(success).
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.limits
attributes:
  check_mode:
    description: Can run in check mode and changes nothing then.
    support: full
    details:
      - Looks once and returns what it sees, without waiting and without failing. RV(verdict) is V(success) if
        everything has arrived, whatever O(soak) says, and V(pending) if not.
  diff_mode:
    description: Returns what has changed.
    support: none
    details:
      - It only reads.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
    details:
      - It only reads.
options:
  objects:
    description: The objects to follow.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: Kind of the object.
        type: str
        choices: [Deployment, StatefulSet, DaemonSet, Job, PersistentVolumeClaim, Pod]
        required: true
      name:
        description: Name of the object.
        type: str
        required: true
      namespace:
        description: Namespace of the object. Without it that of O(namespace).
        type: str
  namespace:
    description: Namespace of objects that name none.
    type: str
    default: default
  timeout:
    description: Seconds until the verdict is V(timeout).
    type: float
    default: 300
  soak:
    description:
      - Seconds every pod must stay Ready without a restart. A pod that has been Ready for half a minute longer than
        this by the server's clock is settled at once.
    type: float
    default: 10
  seen:
    description:
      - What an earlier tracking of the same pods on this machine has returned. A pod that neither was unready nor
        restarted since then has stood since RV(since) of that tracking, so what lies between need not be waited for.
    type: dict
    suboptions:
      pods:
        description: Its RV(pods), of which C(uid), C(ready_since) and C(restarts) count.
        type: list
        elements: dict
        required: true
      since:
        description: Its RV(since).
        type: float
        required: true
  min_count:
    description:
      - How many pods each workload must ask for at least. V(0) accepts a workload that asks for none, such as a
        Deployment scaled to zero.
    type: int
    default: 1
  job_until:
    description:
      - When a Job has arrived. V(complete) waits for its end. V(ready) is for one that watches while others go on, and
        waits until a pod of it is Ready.
    type: str
    choices: [complete, ready]
    default: complete
  missing:
    description: Whether an object that does not exist is a failure at once, or is waited for.
    type: str
    choices: [fail, wait]
    default: fail
  log_lines:
    description: How many log lines of the container at fault are returned.
    type: int
    default: 20
seealso:
  - module: golive.cutover.kube_apply
  - module: golive.cutover.kube_rollback
"""

EXAMPLES = r"""
- name: Follow a Deployment
  golive.cutover.kube_track:
    objects:
      - kind: Deployment
        name: shop-blue
    namespace: shop

- name: Follow a database and its volume, with more patience for slow storage
  golive.cutover.kube_track:
    objects:
      - kind: StatefulSet
        name: postgres
      - kind: PersistentVolumeClaim
        name: data-postgres-0
    namespace: shop
    timeout: 600
    limits:
      volume_claim: 120
"""

RETURN = r"""
verdict:
  description:
    - V(success), V(failure), V(timeout), or V(inconclusive) when the infrastructure is at fault and nothing can be said
      of the objects; V(pending) only in check mode.
  returned: always
  type: str
cause:
  description: Why it is no success; null after a success and in check mode.
  returned: always
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
objects:
  description: Every object and how far it has come, in the order written in the options.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
      returned: always
    name:
      description: Name of the object.
      type: str
      returned: always
    namespace:
      description: Namespace of the object.
      type: str
      returned: always
    ready:
      description: Whether it has arrived.
      type: bool
      returned: always
    have:
      description: How many of its parts are there (ready pods, completions).
      type: int
      returned: always
    want:
      description: How many there must be.
      type: int
      returned: always
    detail:
      description: What was seen last.
      type: str
      returned: always
pods:
  description: Pods of the new revision that were seen last, by name.
  returned: always
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
    ready_since:
      description: When it became so, by the clock of its node; None for one that is not.
      type: str
      returned: always
    restarts:
      description: Restarts of all its containers.
      type: int
      returned: always
    state:
      description: Its state in a word, such as V(Ready) or V(CrashLoopBackOff).
      type: str
      returned: always
soak:
  description: Seconds that every pod had to stay ready; 0 in check mode.
  returned: always
  type: float
since:
  description:
    - Since when all pods have been seen ready at least, in seconds since the epoch by this machine's clock. None unless
      they are.
  returned: always
  type: float
seconds:
  description: Seconds the tracking took.
  returned: always
  type: float
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.track import failure_of, track
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import limits_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_ready import COMPLETE, READY

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **limits_spec(),
        "objects": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "kind": {
                    "type": "str",
                    "required": True,
                    "choices": ["Deployment", "StatefulSet", "DaemonSet", "Job", "PersistentVolumeClaim", "Pod"],
                },
                "name": {"type": "str", "required": True},
                "namespace": {"type": "str"},
            },
        },
        "namespace": {"type": "str", "default": "default"},
        "timeout": {"type": "float", "default": 300},
        "soak": {"type": "float", "default": 10},
        "seen": {
            "type": "dict",
            "options": {
                "pods": {"type": "list", "elements": "dict", "required": True},
                "since": {"type": "float", "required": True},
            },
        },
        "min_count": {"type": "int", "default": 1},
        "job_until": {"type": "str", "choices": [COMPLETE, READY], "default": COMPLETE},
        "missing": {"type": "str", "choices": ["fail", "wait"], "default": "fail"},
        "log_lines": {"type": "int", "default": 20},
    },
    "supports_check_mode": True,
}
_OPTIONS = ("namespace", "timeout", "soak", "seen", "min_count", "job_until", "missing", "log_lines", "limits")


@under_lease
def run(call: Call) -> dict[str, Any]:
    """Track the objects; raises GoliveError with the cause unless they have arrived."""
    options = {name: call.params[name] for name in _OPTIONS}
    with connected(call) as client:
        result = track(call, client, call.params["objects"], **options)
    failure = failure_of(result)
    if failure:
        raise failure
    return result


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
