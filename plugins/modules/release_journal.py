# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock and the journal of an app's runs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_journal
short_description: Take the lock of an app, record what a run does, and find out where an interrupted run stopped
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Lets one run at a time change an app. The lock is the Lease C(<app>-golive) in the app's namespace. What it returns
    as RV(lease) goes into the option O(lease) of the other modules, which keep it renewed while they work.
  - The Lease comes with a fencing token that grows with every holder. What a run writes carries its token, and the API
    server refuses the writes of a run whose lock another one has taken.
  - Phases, inputs and verdicts are recorded in the ConfigMap C(<app>-golive-journal). Each entry holds the hash of the
    one before, so that a change by hand or a missing entry shows. Old runs go when it would grow beyond 256 KiB.
  - The journal says what was meant, not what is live. Read that with M(golive.cutover.traffic_info).
options:
  action:
    description:
      - V(begin) takes the lock and writes the first entry.
      - V(advance) ends the phase under way with O(verdict) and begins O(phase).
      - V(finish) ends the run with O(outcome) and gives the lock back.
      - V(read) shows the last runs and who holds the lock.
    type: str
    choices: [begin, advance, finish, read]
    required: true
  app:
    description: Name of the app.
    type: str
    required: true
  namespace:
    description: Namespace of the app.
    type: str
    required: true
  purpose:
    description: What the run is for, in a word. It is recorded, and told to whoever finds the app locked.
    type: str
    default: release
  phase:
    description: The phase that begins. With O(action=begin) the first one, V(begin) without it.
    type: str
  verdict:
    description: How the phase that ends went. Recorded as given; more than 8 KiB are cut to size, digest and beginning.
    type: dict
    default: {}
  inputs:
    description:
      - What the run was started with, for O(action=begin). Recorded as given; more than 8 KiB are cut likewise.
      - Whoever may read ConfigMaps in the namespace can read it. Give no secret.
    type: dict
    default: {}
  outcome:
    description:
      - How the run ended, for O(action=finish). After V(held) the next run goes on with this one.
    type: str
    choices: [success, failed, returned, held, unchanged]
  objects:
    description:
      - What the run is going to write. When the lock was not given back by the run before, or that run did not end, its
        worker may still be at work. Then these objects get the new token at once, and its next write is refused.
      - Those that do not exist are passed over.
    type: list
    elements: dict
    default: []
    suboptions:
      api_version:
        description: Such as V(apps/v1).
        type: str
        required: true
      kind:
        description: Such as V(Deployment).
        type: str
        required: true
      name:
        description: Name of the object.
        type: str
        required: true
      namespace:
        description: Its namespace. Without it, the option O(namespace).
        type: str
  duration:
    description:
      - Seconds without a sign of life after which another run may take the lock. At least 5.
      - Tasks that know O(lease) give signs of life. What lies between two of them must be shorter than this.
    type: int
    default: 60
  take_over:
    description: Take the lock from a run that is alive. What that run writes next is refused by the API server.
    type: bool
    default: false
  user:
    description: Who runs, to be recorded and told to others. Without it the user of the process.
    type: str
  job:
    description: Number of the AWX job. Without it the environment of an AWX job is read.
    type: str
  limit:
    description: How many of the last runs are returned.
    type: int
    default: 10
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Reads and says what would be; takes no lock and writes nothing.
    support: full
  diff_mode:
    description: Shows the entry that is added.
    support: full
  idempotent:
    description: Every call but O(action=read) adds an entry.
    support: partial
notes:
  - Needs C(get), C(create), C(update) and C(patch) on Leases and ConfigMaps, and C(get) and C(patch) on O(objects).
  - A lock whose holder is seen to live is refused with the code V(locked). A holder that was killed on this machine is
    replaced at once, one on another machine after its O(duration) without a sign of life. Clocks are never compared.
  - The holder is the process of ansible-playbook, not its worker, which may outlive it.
seealso:
  - module: golive.cutover.traffic_info
  - module: golive.cutover.traffic_switch
"""

EXAMPLES = r"""
- name: Take the lock of shop
  golive.cutover.release_journal:
    action: begin
    app: shop
    namespace: shop
    inputs: {version: 2.4.2}
    objects:
      - {api_version: v1, kind: Service, name: shop}
  register: run

- name: Say that the new colour is being brought up
  golive.cutover.release_journal:
    action: advance
    app: shop
    namespace: shop
    phase: stage
    lease: "{{ run.lease }}"

- name: End the run
  golive.cutover.release_journal:
    action: finish
    app: shop
    namespace: shop
    outcome: success
    lease: "{{ run.lease }}"
"""

RETURN = r"""
run_id:
  description: Name of the run. Empty for O(action=read).
  returned: success
  type: str
  sample: 20261124T170502Z-3f9a1c
token:
  description: Fencing token of the run; in check mode the one it would get.
  returned: success
  type: str
lease:
  description: Value for the option O(lease) of the run's other tasks. None when the run holds no lock.
  returned: success
  type: dict
phase:
  description: The phase that began.
  returned: success
  type: str
outcome:
  description: How the run ended. None while it goes on.
  returned: success
  type: str
resume:
  description: The run before, as in RV(runs), when it was killed or held. None when there is nothing to go on with.
  returned: success
  type: dict
stamped:
  description: Objects that got the token.
  returned: success
  type: list
  elements: str
runs:
  description:
    - The last runs, newest first, with C(run_id), C(purpose), C(token), C(by), C(inputs), C(resumes), C(took_over),
      C(began), C(ended), C(seconds), C(outcome), the last C(phase), and C(phases) with their verdicts.
    - A run without C(ended) is under way or was killed.
  returned: success
  type: list
  elements: dict
lock:
  description:
    - Who holds the lock now, with C(user), C(host), C(pid), C(job), C(run_id), C(since), C(renewed).
    - Empty when nobody does.
  returned: success
  type: dict
chain:
  description: Whether every entry follows from the one before.
  returned: success
  type: dict
  contains:
    intact:
      description: Whether it does.
      type: bool
    broken_at:
      description: Number of the first entry in the journal that does not. None when all do.
      type: int
    entries:
      description: Number of entries.
      type: int
held_by:
  description: Who holds the lock, as in RV(lock).
  returned: when the code is V(locked) or V(lease_lost)
  type: dict
code:
  description: Machine-readable code of the failure, such as V(locked) or V(lease_lost).
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._release.journaled import Journaled
from ansible_collections.golive.cutover.plugins.module_utils._release.runs import OUTCOMES

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "action": {"type": "str", "required": True, "choices": ["begin", "advance", "finish", "read"]},
        "app": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "purpose": {"type": "str", "default": "release"},
        "phase": {"type": "str"},
        "verdict": {"type": "dict", "default": {}},
        "inputs": {"type": "dict", "default": {}},
        "outcome": {"type": "str", "choices": list(OUTCOMES)},
        "objects": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "api_version": {"type": "str", "required": True},
                "kind": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "namespace": {"type": "str"},
            },
        },
        "duration": {"type": "int", "default": 60},
        "take_over": {"type": "bool", "default": False},
        "user": {"type": "str"},
        "job": {"type": "str"},
        "limit": {"type": "int", "default": 10},
    },
    "required_if": [("action", "advance", ("phase", "lease")), ("action", "finish", ("outcome", "lease"))],
    "supports_check_mode": True,
}


def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    with connected(call) as client:
        journaled = Journaled(call, client)
        actions = {
            "begin": journaled.begin,
            "advance": journaled.advance,
            "finish": journaled.finish,
            "read": journaled.read,
        }
        return actions[call.params["action"]]()


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
