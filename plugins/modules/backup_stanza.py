# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``backup_stanza``: the place of one database in each of its repositories."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_stanza
short_description: Have the place of a database in each repository of its backups
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Looks into the repositories of an embedded PostgreSQL, and makes the stanza of pgBackRest where one lacks it. Before
    that nothing can be archived.
  - Refuses a repository that cannot be read, or that belongs to another database.
options:
  namespace:
    description: Namespace of the app.
    type: str
    required: true
  app:
    description: The app, whose server runs with the sidecar C(backup-server).
    type: str
    required: true
  timeout:
    description:
      - Seconds until making it must be done, and until the kubelet must have brought a changed Secret into the server's
        pod, which is awaited first.
    type: float
    default: 120
extends_documentation_fragment:
  - golive.cutover.kube
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - It looks into the repositories too. Without the sidecar it is taken as coming.
  diff_mode:
    description: Which repositories lack it.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
notes:
  - It needs the rights to get Services and Pods and to create C(pods/exec) in the namespace, in check mode too, and
    outside of it to get the Secret C(<app>-postgres-backup).
seealso:
  - module: golive.cutover.backup_secret
"""

EXAMPLES = r"""
- name: Have a place for the backups of the shop
  golive.cutover.backup_stanza:
    namespace: shop
    app: shop
"""

RETURN = r"""
created:
  description:
    - Numbers of the repositories where it was made, or would be in check mode; null in check mode when there is no
      sidecar to look from.
  returned: success
  type: list
  elements: int
code:
  description:
    - Machine-readable code of the failure, such as V(repository_unreadable), V(configuration_old), V(engine_failed),
      V(not_found), V(forbidden), V(timeout) or V(lease_lost).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._backup.stanza import backup_stanza
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "namespace": {"type": "str", "required": True},
        "app": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": 120},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return backup_stanza(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
