# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``kube_job``: run one Job to its end."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_job
short_description: Run a Kubernetes Job to its end, once for each input
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Creates a Job, follows it with its newest log line as progress, and ends when the Job does. A Job that failed is a
    failed task, with the cause and the log lines.
  - Pods that can never start, such as those of a missing image, end the task at once. A Job does not fail by itself
    then.
  - The Job is named after the definition with a digest of it as suffix, C(migrate) becomes C(migrate-3f9c0a1b2d). A
    rerun with the same definition finds the finished Job and does not run it again. A failed Job is deleted and run
    again. A Job that is still running, for example because an earlier run was killed, is followed to its end.
  - Another definition is another Job. Finished Jobs are removed by their time to live.
  - An unfinished Job is deleted when the task fails or times out, and when the play is cancelled and this task had
    created it.
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.limits
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - The server judges the Job by a dry run, which changes nothing. RV(verdict) is V(pending) then.
  diff_mode:
    description: Returns what has changed, or would change in check mode.
    support: full
    details:
      - The Job that is created is the change. Literal values of environment variables are masked.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
    details:
      - As long as the finished Job exists; see O(ttl). With O(rerun=true) every run runs the Job.
options:
  definition:
    description: The whole manifest of one Job of C(batch/v1), with a name.
    type: dict
    required: true
  namespace:
    description: Namespace of the Job. Without it that of the definition, then C(default).
    type: str
  timeout:
    description: Seconds the Job may take.
    type: float
    default: 600
  rerun:
    description: Whether to run the Job again although it has succeeded with the same definition.
    type: bool
    default: false
  ttl:
    description:
      - Seconds the cluster keeps the finished Job, and so the time in which a rerun does not run it again. Without it
        that of the definition, then one day.
    type: int
  log_lines:
    description: How many of the last log lines are returned.
    type: int
    default: 20
seealso:
  - module: golive.cutover.kube_track
"""

EXAMPLES = r"""
- name: Load the reference data once
  golive.cutover.kube_job:
    namespace: shop
    definition:
      apiVersion: batch/v1
      kind: Job
      metadata:
        name: load-countries
      spec:
        backoffLimit: 1
        template:
          spec:
            restartPolicy: Never
            containers:
              - name: load
                image: registry.example.org/shop-tools:2.4.1
                args: [load, countries]
"""

RETURN = r"""
verdict:
  description:
    - V(success), V(failure), V(timeout), or V(inconclusive) when the infrastructure is at fault; V(pending) only in
      check mode.
  returned: always
  type: str
exit_code:
  description: Exit code of the container that decided; null when none has ended.
  returned: always
  type: int
log_tail:
  description: The last log lines. Values of C(no_log) options are masked in them.
  returned: always
  type: list
  elements: str
job:
  description: The Job that was run, or found.
  returned: always
  type: dict
  contains:
    name:
      description: Its name, with the digest of the definition.
      type: str
      returned: always
    namespace:
      description: Its namespace.
      type: str
      returned: always
    uid:
      description: Its UID; empty in check mode.
      type: str
      returned: always
seconds:
  description: Seconds the Job took, by its own status when it has ended.
  returned: always
  type: float
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import run_job
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import limits_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **limits_spec(),
        "definition": {"type": "dict", "required": True},
        "namespace": {"type": "str"},
        "timeout": {"type": "float", "default": 600},
        "rerun": {"type": "bool", "default": False},
        "ttl": {"type": "int"},
        "log_lines": {"type": "int", "default": 20},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """Run the Job; raises GoliveError with the cause when it does not succeed."""
    with connected(call) as client:
        return run_job(call, client)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
