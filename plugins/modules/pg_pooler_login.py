# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_pooler_login``: what a pooler logs its clients in with."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_pooler_login
short_description: Have the login by which PgBouncer asks for the stored passwords of its clients
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Makes a role that may call one function and nothing else. The function tells the SCRAM-SHA-256 verifier of a login
    that is a member of O(group) and may log in now; of nobody else, and never of a superuser.
  - With that PgBouncer checks its clients and logs in to the server in their names. A password that changes, and a
    login that is closed, count from the next login on; nothing has to be brought to the pooler.
  - The function lies in the schema C(golive_pooler) of the database that O(postgresql) names, V(postgres) if it names
    none, so that the pooler's own login needs no way into the database of the app.
options:
  name:
    description: Name of the role.
    type: str
    required: true
  group:
    description: Group whose members' verifiers are told, such as C(shop_app).
    type: str
    required: true
  password:
    description: Password of the role. Better name a Secret in O(password_secret).
    type: str
  password_secret:
    description: Key of a Kubernetes Secret that holds the password. The options that reach the cluster apply.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Secret. Without it the namespace of O(tunnel).
        type: str
      name:
        description: Name of the Secret.
        type: str
        required: true
      key:
        description: Key inside the Secret.
        type: str
        default: password
  state:
    description: V(absent) ends its sessions, and drops the function, its schema and the role.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description: Seconds to wait for locks that others hold.
    type: float
    default: 60
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: Reads everything and returns the statements that would run, without what is secret in them.
    support: full
  diff_mode:
    description: Shows the statements that would run, without secrets.
    support: full
  idempotent:
    description: What is there already is not done again.
    support: full
notes:
  - O(postgresql) names a superuser.
  - The clear text of the password never reaches the server.
seealso:
  - module: golive.cutover.pg_access
"""

EXAMPLES = r"""
- name: Let the pooler of shop ask
  golive.cutover.pg_pooler_login:
    name: shop_pooler
    group: shop_app
    password_secret:
      name: shop-postgres-pooler
    postgresql:
      user: postgres
      password_secret:
        name: shop-postgres-admin
    tunnel:
      namespace: shop
      service: shop-postgres
  register: pooler

- name: Show what belongs into pgbouncer.ini
  ansible.builtin.debug:
    msg: "auth_query = {{ pooler.query }}"
"""

RETURN = r"""
plan:
  description: What was done, or would be in check mode, in order. Passwords are masked.
  returned: success
  type: list
  elements: str
query:
  description: The C(auth_query) for PgBouncer.
  returned: success
  type: str
  sample: SELECT login, verifier FROM golive_pooler.stored_password($1)
code:
  description:
    - Machine-readable code of the failure, such as V(administrator), V(group_missing), V(foreign_role),
      V(lock_timeout), V(incomplete) or V(unreachable).
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
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_value
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._postgres.pooler_login import (
    PoolerLogin,
    bring_pooler_login,
)
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import masking, reached
from ansible_collections.golive.cutover.plugins.module_utils._reach.login_passwords import login_passwords

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "name": {"type": "str", "required": True},
        "group": {"type": "str", "required": True},
        "password": {"type": "str", "no_log": True},
        "password_secret": {
            "type": "dict",
            "no_log": False,
            "options": {
                "namespace": {"type": "str"},
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": "password", "no_log": False},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "float", "default": 60},
    },
    "mutually_exclusive": [("password", "password_secret")],
    "required_if": [("state", "present", ("password", "password_secret"), True)],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    present = params["state"] == "present"
    password = login_passwords(call, [params], option="password_secret")[0] if present else None
    wish = PoolerLogin(params["name"], params["group"], present, password)
    secrets = [password] if password else []
    with masking(secrets), reached(call) as reach:
        result = bring_pooler_login(reach.call, reach.where, wish, params["wait"])
        return reach.masked(mask_value(result, secrets))


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
