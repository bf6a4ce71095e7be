# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_dump``: take a proven dump of a PostgreSQL database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: db_dump
short_description: Take a dump of a PostgreSQL database that is proven to be readable
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Takes a logical dump with C(pg_dump), in its custom format, into a directory of this machine, where it becomes a
    directory of its own with the files C(database.dump) and C(manifest.json). It gets its name only when it is whole
    and proven; nobody but its owner may read it.
  - Proven means that every block was read back from the disk and unpacked by C(pg_restore), that each table which the
    catalogue has in the snapshot of the dump is in it, and that the bytes are those that were written. The manifest
    holds their SHA-256, and rows and SHA-256 of the rows of each table, so that a restored copy can be compared.
  - It is no physical backup; changes after it are not in it, and taking it takes as long as reading all of the
    database. Roles and settings of the server are not in it.
  - What a killed run has left is removed by the next one.
  - The programs must be of the server's major version or newer. Behind a O(tunnel) those of the database's pod are used
    where this machine has none; the dump goes into the pod once more then, to be read back. No argument ever shows the
    password.
options:
  directory:
    description: Directory for dumps; made for its owner alone when it is missing. Others must not be able to write into
      it.
    type: path
    required: true
  name:
    description:
      - Name of the dump. One that is there and whole is not taken again, so give each run another name.
    type: str
    required: true
  labels:
    description: What the manifest shall say of the dump, as texts by name, such as the run it was taken for.
    type: dict
    default: {}
  keep:
    description:
      - How many dumps of this database stay in O(directory), this one included; older ones are removed. V(0) keeps all.
    type: int
    default: 0
  hold:
    description: Names of dumps that stay, whatever O(keep) says.
    type: list
    elements: str
    default: []
  programs:
    description: Directory of C(pg_dump) and C(pg_restore). Without it they are looked for in C(PATH) and where packages
      put them.
    type: path
  timeout:
    description: Seconds for all of it, and for waiting for another run that writes into O(directory).
    type: float
    default: 3600
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
  - golive.cutover.in_cluster
attributes:
  check_mode:
    description: Connects and finds the programs, writes nothing, and tells what would be taken and removed.
    support: full
    details:
      - When the Secret, Service or pod that leads to the database does not exist yet, the dump is planned all the same.
        Without check mode that is an error.
      - So it is with O(in_cluster), because check mode starts no Job.
  diff_mode:
    description: Shows the manifest of a dump that is taken, and the names of those that are removed.
    support: full
  idempotent:
    description: A dump that is there under its name and whole is not taken again.
    support: full
seealso:
  - module: golive.cutover.db_migrate
"""

EXAMPLES = r"""
- name: Take a dump before something that cannot be undone
  golive.cutover.db_dump:
    directory: /var/backups/shop
    name: shop-before-2.4.1
    labels:
      release: 2.4.1
    keep: 5
    postgresql:
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    tunnel:
      namespace: shop
      service: shop-postgres
"""

RETURN = r"""
name:
  description: Name of the dump.
  returned: success
  type: str
path:
  description: Its file, for C(pg_restore).
  returned: success
  type: str
  sample: /var/backups/shop/shop-before-2.4.1/database.dump
manifest:
  description: What is known of it. In check mode without what only the dump tells.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the dump.
      type: str
    database:
      description: Name of the database.
      type: str
    system_identifier:
      description: Identifier of the server's data directory; null where the server does not tell it.
      type: str
    server_version:
      description: Version of the server.
      type: str
    encoding:
      description: Encoding of the database.
      type: str
    extensions:
      description: Versions of its extensions by name.
      type: dict
    taken_at:
      description: Time of the snapshot in UTC.
      type: str
    lsn:
      description: Place in the server's log at that time.
      type: str
    labels:
      description: The labels that were given.
      type: dict
    bytes:
      description: Size of the dump; not in check mode.
      type: int
    sha256:
      description: SHA-256 of the dump; not in check mode.
      type: str
    rows:
      description: Rows of all tables; not in check mode.
      type: int
    tables:
      description: Its tables with C(schema), C(name), C(rows), and C(sha256) of the rows as C(COPY) writes them; not in
        check mode.
      type: list
      elements: dict
    pg_dump:
      description: Major version of the program; not in check mode.
      type: int
    format:
      description: Format of the manifest.
      type: int
removed:
  description: Names of the dumps that were removed because of O(keep).
  returned: success
  type: list
  elements: str
tables:
  description: Tables that are missing in the dump.
  returned: when the dump is incomplete
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump import DumpWish, dump, plan_from_nothing
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached, unasked
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_spec import in_cluster_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        **in_cluster_spec(),
        "directory": {"type": "path", "required": True},
        "name": {"type": "str", "required": True},
        "labels": {"type": "dict", "default": {}},
        "keep": {"type": "int", "default": 0},
        "hold": {"type": "list", "elements": "str", "default": []},
        "programs": {"type": "path"},
        "timeout": {"type": "float", "default": 3600},
    },
    "mutually_exclusive": [["in_cluster", "tunnel"]],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    wish = DumpWish(
        directory=params["directory"],
        name=params["name"],
        labels={name: str(value) for name, value in (params["labels"] or {}).items()},
        keep=params["keep"],
        hold=tuple(params["hold"] or ()),
        timeout=params["timeout"],
        programs=params["programs"],
    )
    try:
        with reached(call) as reach:
            return reach.masked(dump(reach.call, reach.where, wish, reach.programs))
    except GoliveError as error:
        if not unasked(call, error):
            raise
        return plan_from_nothing(call, wish)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
