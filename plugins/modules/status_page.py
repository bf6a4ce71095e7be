# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``status_page``: what works, as a static page that needs nothing else to work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: status_page
short_description: Keep what probes have seen, and write it as a status page for users
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Adds one look at each component to the history and writes C(index.html) for people and C(status.json) for programs.
    Both are files that any web server or object store can serve, and that stand when all else is down. The page loads
    nothing and runs nothing, and can be read without seeing its colours.
  - The history, C(history.json) beside them, counts looks by day and keeps outages. It stays small.
  - Give it what M(golive.cutover.health_gate) has found, or anything else that tells whether a component works.
options:
  output:
    description: Directory of the files, which every user of the machine can read. It is created.
    type: path
    required: true
  title:
    description: Heading of the page.
    type: str
    default: Status
  samples:
    description: What was seen now. Without any the page is written anew only when title or incidents have changed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the component as users know it.
        type: str
        required: true
      ok:
        description: Whether it works.
        type: bool
        required: true
  incidents:
    description:
      - Directory of the files of M(golive.cutover.incident). Severity, summary and times of the newest 20 are shown.
    type: path
  days:
    description: How many days are shown and kept, 1 to 366.
    type: int
    default: 90
attributes:
  check_mode:
    description: Can run in check mode and tell what would be written.
    support: full
  diff_mode:
    description: State and uptime of each component.
    support: full
  idempotent:
    description: Without O(samples) a second run changes nothing. Each sample is a look that counts.
    support: partial
seealso:
  - module: golive.cutover.health_gate
  - module: golive.cutover.incident
"""

EXAMPLES = r"""
- name: See whether the shop answers
  golive.cutover.health_gate:
    checks: [{name: shop, kind: http, url: "https://shop.example.org/readyz"}]
    consecutive: 1
    timeout: 5
  register: looked
  failed_when: false

- name: Write the status page
  golive.cutover.status_page:
    output: /var/www/status
    title: Shop status
    samples:
      - name: Shop
        ok: "{{ looked.verdict | default('fail') == 'pass' }}"
"""

RETURN = r"""
page:
  description: Path of the page.
  returned: success
  type: str
components:
  description: Every component with C(name), C(up), C(uptime) in percent of the looks, and C(last), when it was seen.
  returned: success
  type: list
  elements: dict
down:
  description: Names of those that do not work.
  returned: success
  type: list
  elements: str
code:
  description: Machine-readable code of the failure, such as V(not_writable), V(file_invalid) or V(invalid).
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
from ansible_collections.golive.cutover.plugins.module_utils._status.status_page import status_page

SPEC: dict[str, Any] = {
    "argument_spec": {
        "output": {"type": "path", "required": True},
        "title": {"type": "str", "default": "Status"},
        "samples": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"name": {"type": "str", "required": True}, "ok": {"type": "bool", "required": True}},
        },
        "incidents": {"type": "path"},
        "days": {"type": "int", "default": 90},
    },
    "supports_check_mode": True,
}


def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return status_page(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
