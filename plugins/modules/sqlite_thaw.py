# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``sqlite_thaw``: let a SQLite file that a copy has frozen take writes again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sqlite_thaw
short_description: Let a frozen SQLite file take writes again
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - M(golive.cutover.sqlite_copy) with O(golive.cutover.sqlite_copy#module:freeze) leaves the SQLite file without
    writers, so that PostgreSQL can take over. This verb removes the triggers that refuse them, for the way back.
  - What PostgreSQL has taken since is not in the file. Every table of the database is compared with what it held at the
    end of the copy, and the task is refused when one holds something else, unless O(lose) says that it may go.
options:
  path:
    description: The SQLite file, as it was given to the copy. With O(in_cluster) its path within the claim.
    type: path
    required: true
  schema:
    description: Schema that the copy went into.
    type: str
    default: public
  ask:
    description: Only tell what PostgreSQL has taken since. The file stays as it is.
    type: bool
    default: false
  lose:
    description:
      - Let the file take writes although PostgreSQL has taken some. They stay in its tables until a later copy replaces
        them, and the app does not see them.
    type: bool
    default: false
  wait:
    description: Seconds to wait for a copy into the same database.
    type: float
    default: 0
  in_cluster:
    description: Run as a Kubernetes Job, as M(golive.cutover.sqlite_copy) does, for a file in a PersistentVolumeClaim.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the claim and the Job, and of O(postgresql.password_secret) when that names none.
        type: str
        required: true
      claim:
        description: Name of the claim.
        type: str
        required: true
      image:
        description: Image with Python 3.10 or newer as C(python3), its module C(sqlite3), and psycopg2.
        type: str
        required: true
      user:
        description: Id of the user that writes the file. Without it that of the pod that has the claim, or 65532.
        type: int
      timeout:
        description: Seconds the Job may take.
        type: float
        default: 3600
      labels:
        description: More labels of its pod, such as those that a network policy asks for.
        type: dict
        default: {}
      pull_secrets:
        description: Names of Secrets to pull the image with.
        type: list
        elements: str
        default: []
      resources:
        description: Requests and limits of its container.
        type: dict
        default: {}
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: What stands against it is told as without it; the file stays as it is.
    support: full
    details:
      - With O(in_cluster) no Job is started, so that nothing is known of the file, and a warning says so.
  diff_mode:
    description: It shows nothing; RV(written) tells what would be lost.
    support: none
  idempotent:
    description: A file that takes writes is left as it is.
    support: full
seealso:
  - module: golive.cutover.sqlite_copy
"""

EXAMPLES = r"""
- name: Return to the file, unless that would lose something
  golive.cutover.sqlite_thaw:
    path: /srv/shop/shop.db
    postgresql:
      database: shop
      user: shop
"""

RETURN = r"""
frozen:
  description: Whether the file refuses writes now.
  returned: success
  type: bool
written:
  description: Tables that hold something else than they did at the end of the copy.
  returned: success, and when the task is refused for them
  type: list
  elements: dict
  contains:
    table:
      description: Its name with that of its schema.
      type: str
    before:
      description: Rows that it held then.
      type: int
    now:
      description: Rows that it holds now.
      type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_spec import in_cluster_option
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.thaw import thaw_directly

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "path": {"type": "path", "required": True},
        "schema": {"type": "str", "default": "public"},
        "ask": {"type": "bool", "default": False},
        "lose": {"type": "bool", "default": False},
        "wait": {"type": "float", "default": 0},
        "in_cluster": in_cluster_option({"claim": {"type": "str", "required": True}, "user": {"type": "int"}}),
    },
    "mutually_exclusive": [["in_cluster", "tunnel"]],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    if not call.params["in_cluster"]:
        return thaw_directly(call)
    # Late: the library of Kubernetes takes longer to import than a run without a cluster takes in all.
    from ansible_collections.golive.cutover.plugins.module_utils._sqlite.job import thaw_by_job

    return thaw_by_job(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
