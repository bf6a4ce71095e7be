# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``backup_secret``: what PostgreSQL and Jobs know of the repositories of its backups, in Secrets."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_secret
short_description: Keep the configuration of pgBackRest and the passphrase of its repositories in Secrets
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Writes C(pgbackrest.conf) into two Secrets that M(golive.cutover.tls_secret) has made. The one named by O(name) is
    for the pod of PostgreSQL, the one with C(-client) behind its name for Jobs that back up and restore.
  - Keeps the passphrase that the repositories are encrypted with in a third Secret with C(-key) behind the name. It is
    made once, and never changed by this module. Without it no backup can be read, so keep a copy of that Secret
    elsewhere.
  - The keys of the S3 server come from Secrets of yours. They are in the Secrets only, never in a result.
options:
  namespace:
    description: Namespace of all Secrets.
    type: str
    required: true
  name:
    description:
      - Name of the Secret for the pod of PostgreSQL. The common name of the certificate in the Secret for Jobs must be
        the name of that Secret.
    type: str
    required: true
  server:
    description: The PostgreSQL that is backed up.
    type: dict
    required: true
    suboptions:
      host:
        description: Where Jobs reach C(pgbackrest server) beside it; its certificate must be for this name.
        type: str
        required: true
      data:
        description: Its data directory.
        type: str
        required: true
      socket:
        description: Folder of its socket.
        type: str
        default: /var/run/postgresql
      user:
        description: The superuser that may log in at the socket without a password.
        type: str
        default: postgres
  new_key:
    description:
      - Whether a new passphrase is made when the Secret for it is lost while the others are in use. Without it that is
        refused, because nothing that was backed up before could be read. One that is there stays.
    type: bool
    default: false
  labels:
    description: Labels of the Secret with the passphrase. Others that it carries stay.
    type: dict
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.repositories
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - Secrets that are not there yet are taken as coming, those of yours included.
  diff_mode:
    description: Labels, names of keys and the lines of C(pgbackrest.conf); never a key or passphrase.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
notes:
  - It needs the rights to get, create and update Secrets in the namespace.
seealso:
  - module: golive.cutover.tls_secret
"""

EXAMPLES = r"""
- name: Have the certificate of the pod
  golive.cutover.tls_secret:
    namespace: shop
    name: shop-postgres-backup
    ca: {name: shop-postgres-ca}
    names: [shop-postgres-0.shop-postgres-nodes.shop.svc]

- name: Have the certificate of Jobs
  golive.cutover.tls_secret:
    namespace: shop
    name: shop-postgres-backup-client
    ca: {name: shop-postgres-ca}
    names: [shop-postgres-backup-client]
    usages: [client]

- name: Tell both where the backups go
  golive.cutover.backup_secret:
    namespace: shop
    name: shop-postgres-backup
    repositories:
      - endpoint: s3.example.org
        bucket: backups
        region: eu-central-1
        path: /production/shop
        secret: {name: s3-keys}
    server:
      host: shop-postgres-0.shop-postgres-nodes.shop.svc
      data: /var/lib/postgresql/data/pgdata
"""

RETURN = r"""
written:
  description: Names of the Secrets that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
key_created:
  description: Whether a new passphrase was made.
  returned: success
  type: bool
key_id:
  description: What the passphrase is told apart from others by; null in check mode when it would be made.
  returned: success
  type: str
  sample: 20261130-k3Xw9q
repositories:
  description: Where everything is kept.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: Number of the repository in pgBackRest.
      type: int
    endpoint:
      description: Host of the S3 server.
      type: str
    bucket:
      description: The bucket.
      type: str
    path:
      description: Where in the bucket.
      type: str
code:
  description:
    - Machine-readable code of the failure, such as V(invalid), V(certificate_missing), V(key_lost), V(not_found),
      V(key_missing), V(forbidden) or V(lease_lost).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import repositories_spec
from ansible_collections.golive.cutover.plugins.module_utils._backup.secret import backup_secret
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        **repositories_spec(),
        "server": {
            "type": "dict",
            "required": True,
            "options": {
                "host": {"type": "str", "required": True},
                "data": {"type": "str", "required": True},
                "socket": {"type": "str", "default": "/var/run/postgresql"},
                "user": {"type": "str", "default": "postgres"},
            },
        },
        "new_key": {"type": "bool", "default": False, "no_log": False},
        "labels": {"type": "dict"},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return backup_secret(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
