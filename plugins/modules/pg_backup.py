# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_backup``: physical backups of a PostgreSQL in the cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_backup
short_description: Take, hold, verify and expire backups of a PostgreSQL in the cluster
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Works on the repositories of pgBackRest of a server that the role P(golive.cutover.postgres#role) runs.
  - A backup is taken by a Job that reaches the server's sidecar over TLS. What has become of it the repository tells,
    not the Job and no exit code. Everything else runs in the sidecar.
  - What is known of a backup, such as the run it was taken for, is kept in the repository beside it.
options:
  namespace:
    description: Namespace of the server.
    type: str
    required: true
  app:
    description: The app whose server it is; its pod is the one that the Service C(APP-postgres) names.
    type: str
    required: true
  state:
    description:
      - V(taken), there is a backup of O(run). It is believed when the repository lists it, no page had a wrong
        checksum, and the WAL from its start to its stop is in the archive.
      - V(held), O(backup) stays whatever its age. V(released), retention may have it again.
      - V(verified), every stored file was read and has the checksum of its manifest, which is level L1. One that
        is damaged is a failed task, and loses the level it had. M(golive.cutover.pg_restore) shows the higher ones.
      - V(expired), what O(retention) does not keep is gone, and WAL that nothing needs.
    type: str
    choices: [taken, held, released, verified, expired]
    default: taken
  type:
    description: Kind of a backup to take. Where there is no full one yet, it becomes a full one.
    type: str
    choices: [full, diff, incr]
    default: incr
  repository:
    description: Number of the repository.
    type: int
    default: 1
  run:
    description:
      - Name of the run that a backup is taken for. When the repository has one of this run, none is taken again.
        Without it each call takes one.
    type: str
  tag:
    description: A word for people, kept with the backup.
    type: str
  backup:
    description: Label of the backup to hold, release or verify. Without it the newest.
    type: str
  reason:
    description: Why it is held.
    type: str
  keep_wal:
    description: Whether a hold keeps all WAL after the backup as well, so that one can restore to any time since.
    type: bool
    default: false
  resources:
    description: Resources of the container that takes a backup.
    type: dict
  labels:
    description: Labels of the Job and its pod, such as those that a network policy asks for.
    type: dict
  timeout:
    description: Seconds for taking or verifying.
    type: float
    default: 3600
  wait:
    description: Seconds to wait for the end of another backup or expiry before giving up.
    type: float
    default: 0
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.retention
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - Lists, dry runs and reading for O(state=verified) run in the sidecar. The server judges the Job by a dry run.
  diff_mode:
    description: Shows the backups that come and go, and what is remembered of one.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: partial
    details:
      - O(state=taken) with O(run). What was verified is dated anew once a day.
notes:
  - It needs the rights to get the Service, to get, list and watch pods, their logs and events, to create, get, list,
    watch and delete Jobs, and to create C(pods/exec).
seealso:
  - module: golive.cutover.backup_secret
  - module: golive.cutover.db_dump
"""

EXAMPLES = r"""
- name: Take a restore point before something that cannot be undone
  golive.cutover.pg_backup:
    namespace: shop
    app: shop
    type: incr
    run: "{{ release_run }}"
    tag: before-2.4.1
    wait: 600

- name: Remove what retention does not keep
  golive.cutover.pg_backup:
    namespace: shop
    app: shop
    state: expired
    retention:
      pitr: 14
"""

RETURN = r"""
backup:
  description: The backup; null in check mode when it would be taken.
  returned: unless O(state=expired)
  type: dict
  contains:
    id:
      description: Its label.
      type: str
    engine:
      description: V(pgbackrest).
      type: str
    kind:
      description: V(full), V(diff) or V(incr).
      type: str
    parent:
      description: Label of the backup that it builds on; null for a full one.
      type: str
    started:
      description: When it began, in UTC.
      type: str
    stopped:
      description: When it ended, in UTC.
      type: str
    start_lsn:
      description: Place in the server's log where it began.
      type: str
    stop_lsn:
      description: Place in the server's log from which on it is consistent.
      type: str
    timeline:
      description: Timeline that it was taken on.
      type: int
    wal_first:
      description: First segment of WAL that it needs.
      type: str
    wal_last:
      description: Last one.
      type: str
    bytes:
      description: What it adds to the repository.
      type: int
    repo:
      description: Number of the repository.
      type: int
    pg_major:
      description: Major version of the server.
      type: int
    error:
      description: Whether pages with wrong checksums were met; null where the server has none.
      type: bool
    run:
      description: Run that it was taken for.
      type: str
    tag:
      description: The word that was given.
      type: str
    hold:
      description: Why it is held; null when it is not.
      type: str
    verified:
      description: Level it was verified to, and when.
      type: str
run:
  description: The run that the backup is of, made up when none was given.
  returned: O(state=taken), not in check mode
  type: str
id:
  description: Label of the backup.
  returned: O(state=taken), not in check mode
  type: str
job:
  description: Name of the Job that has taken it.
  returned: when one was taken, or would be
  type: str
level:
  description: Level that was reached.
  returned: O(state=verified)
  type: str
reason:
  description: What was seen.
  returned: O(state=verified)
  type: str
files:
  description: Damaged files.
  returned: when a backup is damaged
  type: list
  elements: str
removed:
  description: Labels of the backups that are gone, or would be in check mode, in the order in which they go.
  returned: O(state=expired)
  type: list
  elements: str
kept:
  description: Labels of the others, with the reasons why they stay.
  returned: O(state=expired)
  type: list
  elements: dict
wal_from:
  description: Segment from which on all WAL stays; null without a backup.
  returned: O(state=expired)
  type: str
wal_removed:
  description: Ranges of segments that are gone. In check mode only when no backup would go.
  returned: O(state=expired)
  type: list
  elements: dict
repository:
  description: Number of the repository.
  returned: O(state=expired)
  type: int
holder:
  description: Who is at work.
  returned: when another one is
  type: str
reasons:
  description: Why nothing was removed.
  returned: when retention is refused
  type: list
  elements: str
code:
  description:
    - Machine-readable code of the failure, such as V(backup_locked), V(backup_failed), V(backup_damaged),
      V(retention_refused), V(repository_unreadable), V(no_stanza), V(pages_damaged) or V(wal_missing).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._backup.backup import pg_backup
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_commands import KINDS
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
        "state": {
            "type": "str",
            "choices": ["taken", "held", "released", "verified", "expired"],
            "default": "taken",
        },
        "type": {"type": "str", "choices": list(KINDS), "default": "incr"},
        "repository": {"type": "int", "default": 1},
        "run": {"type": "str"},
        "tag": {"type": "str"},
        "backup": {"type": "str"},
        "reason": {"type": "str"},
        "keep_wal": {"type": "bool", "default": False},
        **retention_spec(),
        "resources": {"type": "dict"},
        "labels": {"type": "dict"},
        "timeout": {"type": "float", "default": 3600},
        "wait": {"type": "float", "default": 0},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return pg_backup(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
