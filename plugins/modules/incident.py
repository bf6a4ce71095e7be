# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``incident``: the record of an incident, from its beginning to the review."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident
short_description: Open an incident, collect what there is to see, add to its timeline, close it with a review
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Keeps two files for each incident, C(<id>.json) and the page C(<id>.md), which their owner alone can read. The page
    says what to tell whom and how often, shows the timeline and what was found, and ends with a template for a review
    once the incident is closed.
  - Works with everything else down. What cannot be asked is written down as not known.
  - What has the form of a secret, such as logins in URLs, tokens, keys and values under such names, is masked in all
    that is written and returned.
options:
  action:
    description:
      - V(open) begins an incident, unless one of the app is open.
      - V(note) adds O(text), another O(severity), or with O(collect) what there is to see.
      - V(close) ends it.
      - V(read) shows it.
    type: str
    choices: [open, note, close, read]
    required: true
  app:
    description: Name of the app.
    type: str
    required: true
  namespace:
    description: Namespace of the app.
    type: str
    required: true
  directory:
    description: Where the files are. It is created for its owner alone.
    type: path
    required: true
  id:
    description: Name of the incident. Without it the newest open one of the app, or for a new one time and app.
    type: str
  severity:
    description:
      - V(P1) nobody can use the app or data is at risk, V(P2) many are hindered, V(P3) few are, V(P4) nobody is yet.
    type: str
    choices: [P1, P2, P3, P4]
  summary:
    description: What is wrong, in a sentence, for O(action=open).
    type: str
  text:
    description: What happened or was done. A note that equals the last one is not added again.
    type: str
  environment:
    description: Environment of the app.
    type: str
  who:
    description: Who says so. Without it the user of the process and its host.
    type: str
  collect:
    description:
      - Whether pods, events, workloads and recent changes of the namespace are read and kept with the incident.
      - An incident that is open already does not get them by V(open).
    type: bool
    default: false
  snapshot:
    description: What else was found, by names, to be kept with what O(collect) reads.
    type: dict
    default: {}
  hours:
    description: How far back changes are shown, in hours.
    type: int
    default: 24
  timeout:
    description: Seconds that the cluster is given to answer.
    type: float
    default: 20
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Says what would be written; reads nothing of the cluster and writes nothing.
    support: full
  diff_mode:
    description: The incident without what was collected.
    support: full
  idempotent:
    description: With O(collect) every V(note) adds what it has seen; otherwise the same call changes nothing.
    support: partial
notes:
  - It needs the right to list pods, events, Deployments, StatefulSets, Services, ConfigMaps, HorizontalPodAutoscalers
    and NetworkPolicies in the namespace. Secrets are not read.
seealso:
  - module: golive.cutover.notify
"""

EXAMPLES = r"""
- name: Open an incident
  golive.cutover.incident:
    action: open
    app: shop
    namespace: shop
    directory: ~/incidents
    severity: P1
    summary: orders cannot be paid
    collect: true
  register: opened

- name: Add what was done
  golive.cutover.incident:
    action: note
    app: shop
    namespace: shop
    directory: ~/incidents
    text: traffic is back on 2.4.1

- name: Close it
  golive.cutover.incident:
    action: close
    app: shop
    namespace: shop
    directory: ~/incidents
    text: orders are paid again since 10:42
"""

RETURN = r"""
incident:
  description:
    - The incident with C(id), C(app), C(environment), C(status), C(severity), C(summary), C(opened), C(opened_by),
      C(closed) and C(entries), each with C(at), C(who), C(kind), C(text) and, where something was collected, C(scene).
    - None when there is none.
  returned: success
  type: dict
id:
  description: Its name.
  returned: success
  type: str
status:
  description: V(open) or V(closed).
  returned: success
  type: str
severity:
  description: Its severity now.
  returned: success
  type: str
seconds:
  description: How long it lasted; None while it does.
  returned: success
  type: float
file:
  description: Its JSON file.
  returned: success
  type: str
page:
  description: Its page in Markdown.
  returned: success
  type: str
messages:
  description: What to tell others, as C(first), C(update) and C(resolved), for its severity.
  returned: success
  type: dict
code:
  description: Machine-readable code of the failure, such as V(not_found), V(file_invalid), V(not_writable) or
    V(invalid).
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
from ansible_collections.golive.cutover.plugins.module_utils._incident.incident import incident
from ansible_collections.golive.cutover.plugins.module_utils._incident.severities import SEVERITIES
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "action": {"type": "str", "choices": ["open", "note", "close", "read"], "required": True},
        "app": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "directory": {"type": "path", "required": True},
        "id": {"type": "str"},
        "severity": {"type": "str", "choices": list(SEVERITIES)},
        "summary": {"type": "str"},
        "text": {"type": "str"},
        "environment": {"type": "str"},
        "who": {"type": "str"},
        "collect": {"type": "bool", "default": False},
        "snapshot": {"type": "dict", "default": {}},
        "hours": {"type": "int", "default": 24},
        "timeout": {"type": "float", "default": 20},
    },
    "required_if": [("action", "open", ("severity", "summary"))],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return incident(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
