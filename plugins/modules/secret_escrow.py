# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``secret_escrow``: a sealed copy of a namespace's Secrets outside of the cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_escrow
short_description: Keep a sealed copy of a namespace's Secrets and ConfigMaps beside the backups
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Whoever has lost the cluster has lost the passphrase of the backups, too. This verb keeps all Secrets and ConfigMaps
    of a namespace in the repositories, sealed to public keys whose private keys are not in the cluster.
  - A copy is a C(List) in JSON, in the format of age. The program C(age) opens it, and C(kubectl apply) takes it.
  - A new copy is written when something has changed.
options:
  namespace:
    description: The namespace; the Secrets of the repositories are in it, too.
    type: str
    required: true
  app:
    description: The app whose backups are in the repositories.
    type: str
    required: true
  recipients:
    description: Public keys that begin with C(age1), such as C(age-keygen) makes them. Each of their private keys opens
      the copy.
    type: list
    elements: str
    required: true
  keep:
    description: How many copies stay in each repository.
    type: int
    default: 30
  key_secret:
    description:
      - Name of the Secret with the passphrase of the repositories, as M(golive.cutover.backup_secret) makes it. With it
        a sum is made that tells whether something has changed. Without it, C(APP-postgres-backup-key).
    type: str
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.repositories
requirements:
  - botocore >= 1.40
  - pyrage >= 1.3
attributes:
  check_mode:
    description: Reads, writes nothing, and tells what would be kept.
    support: full
  diff_mode:
    description: The names of the objects in the copy, and whom it is sealed to; no values.
    support: full
  idempotent:
    description: Nothing is written while nothing has changed.
    support: full
notes:
  - It needs the rights to get and list Secrets and ConfigMaps, and those of a port-forward where a repository has
    C(tunnel).
  - Tokens of service accounts and C(kube-root-ca.crt) are left out; each cluster makes its own.
  - Who may write into the bucket can put another copy there that the same keys open, for everybody may seal to public
    keys. Look at its time and into it before you apply it; a bucket that keeps versions keeps the right ones, too.
  - A copy is as current as the last run. Have it run after each change of a Secret, or each day.
seealso:
  - module: golive.cutover.backup_secret
"""

EXAMPLES = r"""
- name: Keep what the shop cannot be made again without
  golive.cutover.secret_escrow:
    namespace: shop
    app: shop
    repositories: "{{ backup_repositories }}"
    recipients:
      - age1mmegrs3jyyamhls6el69d3pyf4tjtz2p0y0dttzdgyfh8hm9ws7qhpkjcd
"""

RETURN = r"""
secrets:
  description: Names of the Secrets in the copy.
  returned: success
  type: list
  elements: str
config_maps:
  description: Names of the ConfigMaps in it.
  returned: success
  type: list
  elements: str
repositories:
  description: Each repository, in the order of O(repositories).
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: Its number, from 1.
      type: int
    changed:
      description: Whether anything was written or removed there.
      type: bool
    name:
      description: Name of the newest copy, below the path of the repository.
      type: str
    before:
      description: Name of the newest copy before; null without one.
      type: str
    removed:
      description: Names of the copies that are gone, or would be in check mode.
      type: list
      elements: str
code:
  description:
    - Machine-readable code of the failure, such as V(invalid) for what is no public key, V(escrow_damaged),
      V(not_found), V(library_missing), or why the store cannot be used.
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._backup.escrow import secret_escrow
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import repositories_spec
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
        "recipients": {"type": "list", "elements": "str", "required": True},
        "keep": {"type": "int", "default": 30},
        "key_secret": {"type": "str", "no_log": False},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return secret_escrow(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
