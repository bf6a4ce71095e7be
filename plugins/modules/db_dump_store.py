# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_dump_store``: dumps in the repositories of backups, sealed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: db_dump_store
short_description: Keep dumps of a database in the repositories of its backups, sealed
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - A dump of M(golive.cutover.db_dump) is a second, independent kind of backup. It can be restored into another major
    version, and a fault of the engine of physical backups does not touch it.
  - Sealed means that nothing of it can be read, changed, cut or swapped by somebody who does not know the passphrase of
    the repositories. It is sealed on this machine, in the format of age, and read back from the store before it counts.
  - A dump is streamed, so that memory holds a few MiB whatever its size.
options:
  namespace:
    description: Namespace of the Secrets.
    type: str
    required: true
  app:
    description: The app whose database it is.
    type: str
    required: true
  repository:
    description: Number of the repository in O(repositories).
    type: int
    default: 1
  key_secret:
    description:
      - Name of the Secret with the passphrase of the repositories under C(cipher) and its name under C(key_id), as
        M(golive.cutover.backup_secret) makes it. Without it, C(APP-postgres-backup-key).
    type: str
  state:
    description:
      - V(stored), the dump O(name) of O(directory) is in the repository.
      - V(fetched), the dump O(name) of the repository is in O(directory), as M(golive.cutover.db_dump) has left it.
      - V(verified), every byte of the dump O(name), or of all without a name, was read and opened, and has the SHA-256
        that it was stored with.
      - V(expired), what O(retention) and O(hold) do not keep is gone, and what killed runs have left for a day.
      - V(listed), nothing is done but to look.
    type: str
    choices: [stored, fetched, verified, expired, listed]
    default: stored
  directory:
    description: Directory of dumps on this machine. Others must not be able to write into it.
    type: path
  name:
    description: Name of the dump.
    type: str
  hold:
    description: Names of dumps that stay, whatever O(retention) says.
    type: list
    elements: str
    default: []
  wait:
    description: Seconds to wait for another run that writes into O(directory).
    type: float
    default: 600
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.repositories
  - golive.cutover.retention
requirements:
  - botocore >= 1.40
  - pyrage >= 1.3
attributes:
  check_mode:
    description: Reads and opens what is there, writes nothing, and tells what would come and go.
    support: full
    details:
      - A dump that is not in O(directory) is taken as coming.
  diff_mode:
    description: The manifest of a dump that comes, and the names of those that go.
    support: full
  idempotent:
    description: A dump that is there is not stored or fetched again.
    support: full
notes:
  - It needs the right to get Secrets, and those of a port-forward where a repository has C(tunnel). The key of the
    store needs to list, read and write objects and parts of them, and to delete for O(state=expired).
  - The passphrase opens C(golive/dumps/NAME/key.age) below the path of the repository, that key opens the other two
    objects, and the program C(age) alone can do both. Keep the passphrase outside of the cluster.
  - Opening a key takes about a second on purpose.
seealso:
  - module: golive.cutover.db_dump
  - module: golive.cutover.backup_probe
"""

EXAMPLES = r"""
- name: Take a dump
  golive.cutover.db_dump:
    directory: /var/backups/shop
    name: shop-20261130
    postgresql: {database: shop, user: shop, password_secret: {name: shop-postgres}}
    tunnel: {namespace: shop, service: shop-postgres}

- name: Keep it where the cluster's end does not reach
  golive.cutover.db_dump_store:
    namespace: shop
    app: shop
    repositories: "{{ backup_repositories }}"
    directory: /var/backups/shop
    name: shop-20261130

- name: Bring it back
  golive.cutover.db_dump_store:
    namespace: shop
    app: shop
    repositories: "{{ backup_repositories }}"
    state: fetched
    directory: /var/restore/shop
    name: shop-20261130
"""

RETURN = r"""
name:
  description: Name of the dump.
  returned: O(state=stored) or O(state=fetched)
  type: str
manifest:
  description: What is known of the dump, as M(golive.cutover.db_dump) returns it; null in check mode when there is no
    dump yet.
  returned: O(state=stored) or O(state=fetched)
  type: dict
repository:
  description: Number of the repository.
  returned: success
  type: int
dumps:
  description: All dumps of the repository afterwards, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    written:
      description: When it was stored, in UTC by the store's clock.
      type: str
    bytes:
      description: What it takes.
      type: int
verified:
  description: Names of the dumps that are as they were stored.
  returned: O(state=verified)
  type: list
  elements: str
damaged:
  description: Names of the others.
  returned: when a dump is damaged
  type: list
  elements: str
removed:
  description: Names of the dumps that are gone, or would be in check mode.
  returned: O(state=expired)
  type: list
  elements: str
kept:
  description: Names of the others, with the reasons why they stay.
  returned: O(state=expired)
  type: list
  elements: dict
leftovers:
  description: Objects of no dump that are gone, or would be in check mode.
  returned: O(state=expired)
  type: list
  elements: str
reasons:
  description: Why nothing was removed.
  returned: when retention is refused
  type: list
  elements: str
code:
  description:
    - Machine-readable code of the failure, such as V(dump_damaged), V(seal_broken), V(name_taken), V(not_found),
      V(retention_refused), V(library_missing), or why the store cannot be used.
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._backup.dump_store import db_dump_store
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import repositories_spec
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention_spec import retention_spec
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "namespace": {"type": "str", "required": True},
        "app": {"type": "str", "required": True},
        **repositories_spec(),
        **retention_spec(),
        "repository": {"type": "int", "default": 1},
        "key_secret": {"type": "str", "no_log": False},
        "state": {
            "type": "str",
            "choices": ["stored", "fetched", "verified", "expired", "listed"],
            "default": "stored",
        },
        "directory": {"type": "path"},
        "name": {"type": "str"},
        "hold": {"type": "list", "elements": "str", "default": []},
        "wait": {"type": "float", "default": 600},
    },
    "required_if": [
        ("state", "stored", ["directory", "name"]),
        ("state", "fetched", ["directory", "name"]),
    ],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return db_dump_store(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
