# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``login_secret``: the login that clients use, in a Secret."""

from __future__ import annotations

DOCUMENTATION = r"""
module: login_secret
short_description: Keep the name and a generated password of a login in a Secret, and change them by two logins in turn
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Makes the Secret with the first of O(logins) and a generated password where it is missing. One that is there is
    never given another password by O(step=keep).
  - The password is changed in steps, between which M(golive.cutover.pg_access) and the clients have their turn. Each
    step may be run again, and what an interrupted run has begun goes on where it stopped.
  - Name and password change in one write, so that nobody reads one of each.
  - Passwords are made where the task runs and are in the Secrets only.
options:
  namespace:
    description: Namespace of the Secret.
    type: str
    required: true
  name:
    description:
      - Name of the Secret. Its keys are C(username) and C(password), and C(rotated_at) with the time when this module
        made the password. While the login changes, a Secret with C(-next)
        behind the name holds the coming one.
    type: str
    required: true
  logins:
    description: Names of the logins that take turns. One alone cannot change its password.
    type: list
    elements: str
    required: true
  step:
    description:
      - V(keep) has the Secret and changes nothing in it.
      - V(begin) makes the login that is not in use the coming one, with a new password.
      - V(move) writes the coming login into the Secret.
      - V(end) removes the Secret of the coming login, which is in use then.
    type: str
    choices: [keep, begin, move, end]
    default: keep
  password_from:
    description: Key of a Secret in the same namespace whose value is the password of a Secret that is made.
    type: dict
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      key:
        description: Key inside the Secret.
        type: str
        default: password
  adopt:
    description: Whether a Secret without C(username) is taken over; its C(password) stays.
    type: bool
    default: false
  labels:
    description: Labels of the Secrets. Others that they carry stay.
    type: dict
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
  diff_mode:
    description: Names, labels and keys; never a password.
    support: full
  idempotent:
    description: A second run with the same step changes nothing, apart from V(begin) after V(end).
    support: partial
    details:
      - V(begin) after V(end) begins the next change.
notes:
  - It needs the rights to get, create, update and delete Secrets in the namespace.
seealso:
  - module: golive.cutover.pg_access
"""

EXAMPLES = r"""
- name: Have the login of the app
  golive.cutover.login_secret:
    namespace: shop
    name: shop-postgres
    logins: [shop_a, shop_b]
  register: login

- name: Make the other login the coming one
  golive.cutover.login_secret:
    namespace: shop
    name: shop-postgres
    logins: [shop_a, shop_b]
    step: begin
"""

RETURN = r"""
created:
  description: Whether the Secret was not there.
  returned: success
  type: bool
login:
  description: Name of the login in the Secret.
  returned: success
  type: str
spare:
  description: Name of the other login; null when there is one alone.
  returned: success
  type: str
next:
  description: Name of the Secret that holds the coming login; null when none is under way.
  returned: success
  type: str
coming:
  description: Name of the coming login; null when none is under way.
  returned: success
  type: str
code:
  description: Machine-readable code of the failure, such as V(foreign_secret), V(not_moved), V(forbidden) or
    V(lease_lost).
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
from ansible_collections.golive.cutover.plugins.module_utils._postgres.login_secret import STEPS, login_secret

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "logins": {"type": "list", "elements": "str", "required": True},
        "step": {"type": "str", "choices": list(STEPS), "default": "keep"},
        "password_from": {
            "type": "dict",
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": "password", "no_log": False},
            },
        },
        "adopt": {"type": "bool", "default": False},
        "labels": {"type": "dict"},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return login_secret(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
