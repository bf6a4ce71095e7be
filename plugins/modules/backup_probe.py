# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``backup_probe``: whether the cluster's key opens each repository, and whether the store keeps locks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_probe
short_description: Prove that the key opens each repository of backups, and that its store keeps what is locked
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Has a canary in each repository, a small object that was sealed with the passphrase of the cluster. It tells a wrong
    or lost passphrase before a restore needs it.
  - Puts a locked object there and tries to delete it, since some stores take the words of a lock and delete all the
    same.
  - All repositories are looked at before the task fails.
options:
  namespace:
    description: Namespace of the Secrets.
    type: str
    required: true
  app:
    description: The app whose backups they are.
    type: str
    required: true
  key_secret:
    description:
      - Name of the Secret with the passphrase of the repositories, as M(golive.cutover.backup_secret) makes it. Without
        it, C(APP-postgres-backup-key).
    type: str
  renew:
    description:
      - Whether a canary that the key does not open, or that is damaged, is replaced. Only a key that opens the
        repository itself may do so.
    type: bool
    default: false
  lock:
    description:
      - With V(report) the lock is probed, and a store that only pretends to have one is a failure. With V(require) one
        without locks is a failure too. V(skip) does not probe.
    type: str
    choices: [skip, report, require]
    default: report
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.repositories
requirements:
  - botocore >= 1.40
  - cryptography >= 42
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - It judges the canaries and tells which it would put; locks are not probed. Without the Secret of the passphrase
        all is taken as coming.
  diff_mode:
    description: Which canaries are put or renewed.
    support: full
  idempotent:
    description:
      - A second run changes nothing. Each probe of a lock writes an object of 32 bytes, which is not counted as a
        change.
    support: full
notes:
  - It needs the right to get Secrets, and those of a port-forward where a repository has C(tunnel). The key of the
    store needs to read and write objects; for locks also C(PutObjectRetention), C(GetObjectRetention),
    C(ListBucketVersions) and C(DeleteObjectVersion). A key that may not lock is told as V(unlocked).
  - The object of a probe is below C(golive/lock-probe/) of the path of the repository. A store that honours its lock
    keeps it for ten minutes; a later probe then removes it, if the key may.
  - A key that lacks the right to delete versions sees V(locked) of a store that might let others delete.
seealso:
  - module: golive.cutover.backup_secret
  - module: golive.cutover.pg_backup_info
"""

EXAMPLES = r"""
- name: Prove the repositories of the shop
  golive.cutover.backup_probe:
    namespace: shop
    app: shop
    repositories: "{{ backup_repositories }}"
    lock: require
"""

RETURN = r"""
repositories:
  description: Each repository, in the order of O(repositories).
  returned: success, and on failure of a repository
  type: list
  elements: dict
  contains:
    number:
      description: Its number, from 1.
      type: int
    endpoint:
      description: As in O(repositories).
      type: str
    bucket:
      description: As in O(repositories).
      type: str
    path:
      description: As in O(repositories).
      type: str
    canary:
      description:
        - V(ok) when the key opens the one that is there, V(put) or V(renewed), in check mode too. Not there when it
          failed.
      type: str
    lock:
      description:
        - V(locked), V(unlocked) when the bucket takes no lock, or V(pretends) when it took one and did not keep it;
          null when it was not probed.
      type: str
    lock_reason:
      description: The same for a person.
      type: str
    lock_steps:
      description: What was tried, and what the store did.
      type: list
      elements: str
    code:
      description: Code of the failure of this repository.
      type: str
code:
  description:
    - Machine-readable code of the first failure, V(canary_wrong_key), V(canary_other_key), V(canary_damaged),
      V(repository_wrong_key), V(repository_damaged), V(lock_pretends), V(lock_missing), or why something cannot be
      reached, such as V(no_bucket), V(forbidden), V(not_found) or V(library_missing).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._backup.probe import backup_probe
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
        "key_secret": {"type": "str", "no_log": False},
        "renew": {"type": "bool", "default": False},
        "lock": {"type": "str", "choices": ["skip", "report", "require"], "default": "report"},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return backup_probe(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
