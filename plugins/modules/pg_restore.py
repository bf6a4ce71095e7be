# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_restore``: restore a backup beside the live database, and prove the copy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_restore
short_description: Restore a PostgreSQL backup of pgBackRest beside the live database and prove the copy
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - A Job fetches the backup into a volume of its own, starts the copy there without any network, replays, reads every
    block and stops it. The live database is never written to, and the copy never archives, so that it cannot take over
    the history of the live one.
  - Backup, timeline and the last segment are chosen before anything runs, from the catalogue of the engine and from an
    own listing of the archive, and the copy is held against them. pgBackRest itself takes any error of the archive for
    its end and then ends without an error, with rows missing.
  - Without O(storage.claim) the volume goes with the Job, which makes a drill of it. With it the volume stays, for a
    server that takes it.
  - RV(level) tells what was proven. 3 is that all was fetched, 4 that the server has started and come to its target, 5
    that every block was read (a dump of each database, amcheck with all heap tuples, the checksums of the stopped
    server), 6 that the content of the tables in O(compare) is that of the live database.
options:
  namespace:
    description: Namespace of the Job, its volume and its Secret.
    type: str
    required: true
  app:
    description: Name of the app. The pod of its server, which the Service C(APP-postgres) names, is asked for the list
      of backups; where it does not run, a Job lists them.
    type: str
    required: true
  name:
    description:
      - Name of this restore, and the beginning of the Job's. With a volume that stays, a second run with the same name
        and the same target changes nothing when the first one came to its end, and goes on where it was interrupted
        otherwise. With another target it is refused.
      - While one of this name is at work, a second one is refused, and told who does it, by a Lease of this name that
        stays.
    type: str
    required: true
  config_secret:
    description: Secret whose key C(pgbackrest.conf) leads to the repositories, as M(golive.cutover.backup_secret) makes
      it for the server. Without it C(APP-postgres-backup).
    type: str
  image:
    description: Image with PostgreSQL of the backup's major version and pgBackRest 2.59.1 or newer. Without it that of
      the running server.
    type: str
  pull_policy:
    description: When the image is pulled.
    type: str
    choices: [IfNotPresent, Always, Never]
    default: IfNotPresent
  pull_secrets:
    description: Names of Secrets to pull the image with.
    type: list
    elements: str
    default: []
  run_as_user:
    description: Number of the user that owns the data.
    type: int
    default: 999
  data_directory:
    description: Where the data is in the pod, as the configuration says it.
    type: str
    default: /var/lib/postgresql/data/pgdata
  superuser:
    description: Name of the superuser of the restored server. No password is needed inside of the Job.
    type: str
    default: postgres
  resources:
    description: Resources of the Job's container.
    type: dict
    default: {}
  labels:
    description: Labels of the Job's pod, for network policies.
    type: dict
    default: {}
  storage:
    description: The volume.
    type: dict
    required: true
    suboptions:
      size:
        description: Its size, as V(20Gi). It must hold the restored database.
        type: str
        required: true
      class:
        description: Its storage class; without it the default one of the cluster.
        type: str
      claim:
        description: Name of the PersistentVolumeClaim that stays. One that is there and was not made by this restore is
          refused.
        type: str
      discard:
        description:
          - Name of the volume (C(spec.volumeName)) of a claim that may be given up with all that is in it. No other one
            is ever touched, so that the same call does no harm to what it has restored.
          - It is given up when a backup was chosen, and after whoever uses it has gone.
        type: str
  repository:
    description: Number of the repository to restore from.
    type: int
    default: 1
  target:
    description: How far to replay.
    type: dict
    suboptions:
      kind:
        description:
          - V(latest) replays all that the archive has without a hole.
          - V(time), V(lsn) and V(name) replay to O(target.value).
          - V(backup) stops where the backup is consistent.
        type: str
        choices: [latest, time, lsn, name, backup]
        default: latest
      value:
        description: A time in ISO 8601 with its offset, an LSN, or the name of a restore point, for which O(backup)
          must name the backup.
        type: str
  backup:
    description: Label of the backup to begin from. Without it the newest that ended before the target.
    type: str
  timeline:
    description: Timeline to follow. Without it that of the newest backup.
    type: int
  plan_only:
    description: Whether only the backup is chosen, as in check mode. Other than there, a Job lists the backups where
      the server does not run.
    type: bool
    default: false
  accept_gap:
    description: Whether V(latest) may end at a hole in the archive. What was committed behind it is lost.
    type: bool
    default: false
  prove:
    description:
      - V(blocks) starts the copy, replays and reads every block.
      - V(start) leaves out the reading.
      - V(none) only fetches. Replaying is left to the server that takes the volume, and nothing is proven of it.
    type: str
    choices: [blocks, start, none]
    default: blocks
  compare:
    description:
      - Tables that only grow, and so do their keys. Up to the last key of the copy, the copy and the live database
        must have the same rows.
      - It needs O(postgresql) of the live database, with a login that reads them.
    type: list
    elements: dict
    default: []
    suboptions:
      schema:
        description: Name of the schema.
        type: str
        default: public
      table:
        description: Name of the table.
        type: str
        required: true
      key:
        description: Name of the column that grows.
        type: str
        required: true
  login_secret:
    description:
      - Name of a Secret with C(username) and C(password) of the superuser, for a copy that a server takes over. The
        role gets this password, and archiving is no longer off.
      - Without it the copy never archives.
    type: str
  lost_at:
    description: When the live database was lost, as a time in ISO 8601 with its offset, for RV(rpo_s). Without it the
      begin of the task.
    type: str
  record:
    description: Whether the repository keeps what was proven of the backup, and a report of this restore in a chain.
    type: bool
    default: true
  about:
    description: What the report shall say beside what was measured, such as scenario, trigger and operator.
    type: dict
    default: {}
  timeout:
    description: Seconds for all of the Job.
    type: float
    default: 3600
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.repositories
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: Lists the repositories, chooses, and tells what would be restored. Where the server does not run nobody
      lists them, and RV(backup) is null with a warning; see O(plan_only).
    support: full
  diff_mode:
    description: There is nothing to compare; what is made is a volume.
    support: none
  idempotent:
    description: A volume that stays is filled once for a name. A restore whose volume goes with its Job is done again.
    support: partial
notes:
  - It needs the rights to create, read and delete Jobs, to create, read and update Leases, to read Services, pods and
    their logs, to exec into the pod of the server, to read the Secrets of the repositories, and with O(storage.claim)
    to create and update PersistentVolumeClaims.
seealso:
  - module: golive.cutover.backup_secret
  - module: golive.cutover.pg_switch
"""

EXAMPLES = r"""
- name: Prove that the newest backup can be restored
  golive.cutover.pg_restore:
    namespace: shop
    app: shop
    name: shop-drill
    storage: {size: 20Gi}
    repositories: "{{ backup_repositories }}"
    compare:
      - {table: orders, key: id}
    postgresql:
      database: shop
      password_secret: {namespace: shop, name: shop-postgres-owner, user_key: username}
    tunnel: {namespace: shop, service: shop-postgres}

- name: Restore beside to the moment before a table was dropped, into a volume that stays
  golive.cutover.pg_restore:
    namespace: shop
    app: shop
    name: shop-before-drop
    storage: {size: 20Gi, claim: data-shop-postgres-2-0}
    repositories: "{{ backup_repositories }}"
    target: {kind: time, value: "2026-11-30T02:14:59+00:00"}
"""

RETURN = r"""
level:
  description: What was proven, from 2 (no segment is missing) to 6 (the content is that of the live database). As a
    plan 2, or null when nobody could list the backups.
  returned: success, and when the copy is not what was asked for
  type: int
faults:
  description: Why the copy is not what was asked for.
  returned: when it is not
  type: list
  elements: str
backup:
  description: The backup it began from, as M(golive.cutover.pg_backup_info) lists it; null when it is not known yet.
  returned: success
  type: dict
target:
  description: What the engine was told. V(default) is as far as the archive goes.
  returned: success
  type: dict
  contains:
    type:
      description: Kind of the target.
      type: str
    value:
      description: Its value.
      type: str
    timeline:
      description: The timeline that was followed.
      type: int
discarded:
  description: Whether a volume was given up, or would be in check mode.
  returned: success
  type: bool
gap:
  description: The missing segment that was accepted as the end of the archive; null without one.
  returned: success
  type: str
phases:
  description: Seconds of fetching, starting, replaying, asking and reading every block.
  returned: when it has run
  type: dict
  sample: {fetch: 4.8, start: 1.2, replay: 0.3, readwrite: 0.4, blocks: 11.9}
seconds:
  description: Seconds of all of it.
  returned: when it has run
  type: float
rto_s:
  description: Seconds from the begin of the task until the copy could be written to; null when it never could.
  returned: when it has run
  type: float
rpo_s:
  description: Seconds of commits that are not in the copy, from its last commit to O(lost_at). 0 when no transaction
    of the live database at the begin is newer than the copy. When the copy holds no commit after the backup began, the
    seconds since the last segment of the log was stored. Null when nothing tells, and when a clock is wrong, which a
    warning says.
  returned: when it has run
  type: float
bytes:
  description: Size of what was restored.
  returned: when it has run
  type: int
reached_lsn:
  description: How far the copy has replayed.
  returned: when it has run
  type: str
last_commit:
  description: Time of the last commit in the copy that was replayed.
  returned: when it has run
  type: str
ends_at:
  description: The transactions that the copy holds, for O(golive.cutover.pg_switch#module:ends_at); null when it was
    only fetched.
  returned: when it has run
  type: dict
  contains:
    next_xid:
      description: The id that its next transaction would have had.
      type: str
    undone:
      description: Transactions below it that had not committed at the target, of the last 4096.
      type: list
      elements: str
    timeline:
      description: The timeline that was followed.
      type: int
findings:
  description: What reading every block has found.
  returned: when it has run
  type: list
  elements: str
compared:
  description: The tables of O(compare), with rows, last key and sum of the hashes on both sides.
  returned: when it has run
  type: list
  elements: dict
  contains:
    table:
      description: Schema and name.
      type: str
    equal:
      description: Whether both sides are the same.
      type: bool
    restored:
      description: What the copy holds.
      type: str
    live:
      description: What the live database holds up to the same key.
      type: str
report:
  description: Object and SHA-256 of the report in the repository; null when it was not written.
  returned: when it has run
  type: dict
held_by:
  description: Who is at a restore of the same name - user, host, process and since when.
  returned: when that refuses this one
  type: dict
code:
  description:
    - Machine-readable code of the failure, such as V(restore_unproven), V(wal_gap), V(out_of_range), V(no_backup),
      V(volume_exists), V(volume_too_small), V(restore_locked) with RV(held_by), V(repository_unreadable), V(timeout) or
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

from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import repositories_spec
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore import pg_restore
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_choice import TYPES
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **repositories_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "namespace": {"type": "str", "required": True},
        "app": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "config_secret": {"type": "str", "no_log": False},
        "image": {"type": "str"},
        "pull_policy": {"type": "str", "choices": ["IfNotPresent", "Always", "Never"], "default": "IfNotPresent"},
        "pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "run_as_user": {"type": "int", "default": 999},
        "data_directory": {"type": "str", "default": "/var/lib/postgresql/data/pgdata"},
        "superuser": {"type": "str", "default": "postgres"},
        "resources": {"type": "dict", "default": {}},
        "labels": {"type": "dict", "default": {}},
        "storage": {
            "type": "dict",
            "required": True,
            "options": {
                "size": {"type": "str", "required": True},
                "class": {"type": "str"},
                "claim": {"type": "str"},
                "discard": {"type": "str"},
            },
        },
        "repository": {"type": "int", "default": 1},
        "target": {
            "type": "dict",
            "apply_defaults": True,
            "options": {
                "kind": {"type": "str", "choices": list(TYPES), "default": "latest"},
                "value": {"type": "str"},
            },
        },
        "backup": {"type": "str"},
        "timeline": {"type": "int"},
        "plan_only": {"type": "bool", "default": False},
        "accept_gap": {"type": "bool", "default": False},
        "prove": {"type": "str", "choices": ["blocks", "start", "none"], "default": "blocks"},
        "compare": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "schema": {"type": "str", "default": "public"},
                "table": {"type": "str", "required": True},
                "key": {"type": "str", "required": True, "no_log": False},
            },
        },
        "login_secret": {"type": "str", "no_log": False},
        "lost_at": {"type": "str"},
        "record": {"type": "bool", "default": True},
        "about": {"type": "dict", "default": {}},
        "timeout": {"type": "float", "default": 3600},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return pg_restore(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
