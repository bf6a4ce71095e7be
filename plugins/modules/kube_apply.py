# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``kube_apply``: bring a set of Kubernetes objects to the wanted state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_apply
short_description: Apply a set of Kubernetes objects, writing only what differs
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Applies a whole set of objects in one task with server-side apply. It reads first, over one connection pool, and
    writes only what differs; a second run of an unchanged set only reads.
  - Faults that can be found before the first write are reported all at once, and nothing is written then. Every object
    that seems to differ is tried by a dry run of the server before the first one is written.
  - Namespaces and CustomResourceDefinitions are written before what needs them. What needs a namespace or a kind of the
    same set is tried as soon as these are there.
  - Two fields are set when an object is created and left to others afterwards. The selector of a Service labelled
    C(golive.cutover/role=live) belongs to M(golive.cutover.traffic_switch), and C(spec.replicas) of a workload with a
    HorizontalPodAutoscaler belongs to the autoscaler. O(create_only) adds more. Ownership of such a field is handed to
    the field manager C(golive-traffic) with its live value, so that it is not reset.
  - C(stringData) of a Secret is applied as C(data), so that a removed key is removed.
notes:
  - Where the verb runs as a module (remote hosts, C(become), C(async)), Ansible writes the options of every module to
    the system log of that host. Set C(no_log) there for sets that hold Secret values.
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - Reads, and lets the server decide by dry runs, which change nothing. Objects whose namespace or kind does not
        exist yet are planned without the server; RV(objects[].decided_by) says so. A namespace that neither exists nor
        comes with the set is a warning in check mode and an error otherwise.
  diff_mode:
    description: Returns what has changed, or would change in check mode.
    support: full
    details:
      - Values of Secrets are masked.
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
options:
  objects:
    description: The objects, as mappings. A C(List) is taken apart.
    type: list
    elements: dict
  files:
    description: YAML files with one or more documents each. Relative paths start at the directory of the playbook.
    type: list
    elements: path
  content:
    description: YAML text with one or more documents, such as the result of P(ansible.builtin.template#lookup).
    type: str
  namespace:
    description: Namespace of namespaced objects that name none.
    type: str
  set:
    description:
      - Name of the set. Every object gets it as label C(golive.cutover/set).
      - It must be unique within each namespace that the set touches.
    type: str
  prune:
    description:
      - Whether to delete objects that carry the label of O(set), were applied by O(field_manager), and are not in the
        set any more. Namespaced kinds are looked for in the namespaces of the set and in O(namespace).
      - With O(state=absent) everything that carries the label goes.
    type: bool
    default: false
  prune_kinds:
    description:
      - Kinds that O(prune) may delete, as C(apiVersion/Kind).
      - The default holds namespaced kinds that keep no data of their own. Namespaces, PersistentVolumeClaims,
        CustomResourceDefinitions and cluster-wide kinds are deleted only if they are named here.
    type: list
    elements: str
    default:
      - v1/ConfigMap
      - v1/Secret
      - v1/Service
      - v1/ServiceAccount
      - apps/v1/Deployment
      - apps/v1/StatefulSet
      - apps/v1/DaemonSet
      - batch/v1/Job
      - batch/v1/CronJob
      - autoscaling/v2/HorizontalPodAutoscaler
      - policy/v1/PodDisruptionBudget
      - networking.k8s.io/v1/Ingress
      - networking.k8s.io/v1/NetworkPolicy
      - rbac.authorization.k8s.io/v1/Role
      - rbac.authorization.k8s.io/v1/RoleBinding
  state:
    description:
      - Whether the objects shall be there.
      - V(absent) deletes them, dependants first, and does not wait until they are gone. A kind that the cluster does
        not know counts as absent.
    type: str
    choices: [present, absent]
    default: present
  create_only:
    description: Fields that are set at creation and never touched again.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the objects.
        type: str
        required: true
      name:
        description: Name of the object. Without it all objects of O(create_only[].kind) in the set.
        type: str
      fields:
        description:
          - Paths of map keys, like V(spec.replicas) or V(metadata.annotations[example.org/name]). Items of lists cannot
            be named.
        type: list
        elements: str
        required: true
  force_conflicts:
    description:
      - Whether to take over fields that another manager owns. Without it such a field is an error that names the
        manager.
    type: bool
    default: false
  field_manager:
    description: Name under which the fields are owned.
    type: str
    default: golive
  mark_references:
    description:
      - Whether to mark the pod template of every Deployment, StatefulSet and DaemonSet with a digest of the Secrets and
        ConfigMaps it reads, in the annotation C(golive.cutover/references), so that its pods are replaced when these
        change. Objects of the set itself are left out; name those by their content. Left out are also volumes that the
        annotation C(golive.cutover/reread) of the pod template names, separated by commas, because their program reads
        them anew.
      - Needs the right C(get) on these Secrets and ConfigMaps. The digest is keyed by the UID of each object, so that
        nobody can test a guessed value against it without that right.
    type: bool
    default: false
  track:
    description:
      - Whether to follow every workload and claim of the set until it is ready, as M(golive.cutover.kube_track) does. A
        failure names its cause. Not done in check mode.
    type: bool
    default: false
  track_timeout:
    description: Seconds after which O(track) gives up.
    type: float
    default: 300
  threads:
    description: How many requests may be under way at once, from 1 to 32.
    type: int
    default: 8
seealso:
  - module: golive.cutover.kube_track
  - module: golive.cutover.traffic_switch
"""

EXAMPLES = r"""
- name: Apply an app from a template, and remove what its template no longer holds
  golive.cutover.kube_apply:
    content: "{{ lookup('ansible.builtin.template', 'shop.yml.j2') }}"
    namespace: shop
    set: shop
    prune: true

- name: Show what would change
  golive.cutover.kube_apply:
    files: [manifests/shop.yml, manifests/postgres.yml]
    namespace: shop
  check_mode: true
  diff: true

- name: Create a Deployment with two replicas, and let others scale it
  golive.cutover.kube_apply:
    objects: "{{ shop_objects }}"
    create_only:
      - kind: Deployment
        name: shop
        fields: [spec.replicas]

- name: Remove the whole set
  golive.cutover.kube_apply:
    objects: []
    namespace: shop
    set: shop
    prune: true
    state: absent
"""

RETURN = r"""
objects:
  description: Every object of the set, in the order written in the options.
  returned: always; after a failure only those that were done before it
  type: list
  elements: dict
  contains:
    api_version:
      description: Such as V(apps/v1).
      type: str
      returned: always
    kind:
      description: Such as V(Deployment).
      type: str
      returned: always
    namespace:
      description: Null for a cluster-wide object.
      type: str
      returned: always
    name:
      description: Name of the object.
      type: str
      returned: always
    action:
      description: V(created), V(updated), V(unchanged) or V(deleted); in check mode what it would be.
      type: str
      returned: always
    decided_by:
      description:
        - V(read) if reading was enough, V(server) if the server answered to a write or a dry run, V(local) if it could
          not be asked in check mode.
      type: str
      returned: always
pruned:
  description:
    - Objects that were deleted because the set no longer holds them, in the form of RV(objects) with action V(pruned).
  returned: always
  type: list
  elements: dict
tracked:
  description: What M(golive.cutover.kube_track) returns for the set; null when nothing was tracked.
  returned: always; after a failure when tracking failed
  type: dict
faults:
  description: Everything that was found wrong.
  returned: when the set or the server's answer to it had faults
  type: list
  elements: dict
  contains:
    code:
      description: Machine-readable code of the fault.
      type: str
      returned: always
    message:
      description: What failed and why.
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply import apply_set
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_prune import PRUNE_KINDS
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_track import track_set
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "objects": {"type": "list", "elements": "dict"},
        "files": {"type": "list", "elements": "path"},
        "content": {"type": "str"},
        "namespace": {"type": "str"},
        "set": {"type": "str"},
        "prune": {"type": "bool", "default": False},
        "prune_kinds": {"type": "list", "elements": "str", "default": list(PRUNE_KINDS)},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "create_only": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "kind": {"type": "str", "required": True},
                "name": {"type": "str"},
                "fields": {"type": "list", "elements": "str", "required": True},
            },
        },
        "force_conflicts": {"type": "bool", "default": False},
        "field_manager": {"type": "str", "default": "golive"},
        "mark_references": {"type": "bool", "default": False},
        "track": {"type": "bool", "default": False},
        "track_timeout": {"type": "float", "default": 300},
        "threads": {"type": "int", "default": 8},
    },
    "required_one_of": [("objects", "files", "content")],
    "required_if": [("prune", True, ("set",))],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """Apply or remove the set, and track it if asked to; raises GoliveError with everything that is wrong with it."""
    with connected(call) as client:
        result = apply_set(call, client)
        return {**result, "tracked": track_set(call, client, result)}


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
