# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_backup_info``: what there is to restore from, and what is wrong with it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_backup_info
short_description: Show the backups of a PostgreSQL in the cluster, to which times they lead, and what is wrong
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Joins what pgBackRest lists with an own listing of each repository, with what is recorded of each backup, and, with
    a login, with the server itself. It changes nothing.
  - pgBackRest tells nothing of a segment of WAL that is missing, and ends with 0 when it cannot reach a repository; so
    the range one can restore to comes from the own listing, and RV(ok) is true only when everybody could be asked and
    nothing is wrong.
  - What cannot be reached is a finding and no failure. After the loss of the server, or of one repository, the other
    parts are still told.
options:
  namespace:
    description: Namespace of the server and of the Secrets.
    type: str
    required: true
  app:
    description: The app whose server it is; its pod is the one that the Service C(APP-postgres) names.
    type: str
    required: true
  key_secret:
    description:
      - Name of the Secret with the passphrase of the repositories, as M(golive.cutover.backup_secret) makes it. Without
        it, C(APP-postgres-backup-key).
    type: str
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.repositories
  - golive.cutover.postgresql
  - golive.cutover.tunnel
requirements:
  - botocore >= 1.40
  - cryptography >= 42
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing, so there is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
notes:
  - It needs the rights to get Services, pods and Secrets and to create C(pods/exec), and those of O(tunnel) where
    tunnels are used.
  - Without O(postgresql) and O(tunnel) the server is not asked. Then RV(repositories[].lag) is null, and the line of
    timelines is that of the newest backup.
seealso:
  - module: golive.cutover.pg_backup
  - module: golive.cutover.backup_secret
"""

EXAMPLES = r"""
- name: Look at the backups
  golive.cutover.pg_backup_info:
    namespace: shop
    app: shop
    repositories: "{{ backup_repositories }}"
    postgresql:
      database: shop
      password_secret: {name: shop-postgres, user_key: username}
    tunnel: {namespace: shop, service: shop-postgres}
  register: backups

- name: Refuse to go on without a way back
  ansible.builtin.assert:
    that: backups.ok
    fail_msg: "{{ backups.findings | map(attribute='message') | join('; ') }}"
"""

RETURN = r"""
ok:
  description: Whether everything could be asked, and nothing is wrong.
  returned: success
  type: bool
findings:
  description: All that is wrong, or that nobody can tell.
  returned: success
  type: list
  elements: dict
  contains:
    repository:
      description: Number of the repository; null when it concerns all.
      type: int
    part:
      description: V(database), V(engine), V(key), V(store) or V(repository).
      type: str
    code:
      description:
        - V(wal_missing), V(backup_wal_missing), V(wal_odd), V(wal_rewritten), V(timeline_unknown),
          V(archiving_off), V(archiving_fails), V(wal_lost) when the server has archived what the repository does not
          have, V(wal_behind) when a whole segment is not there for long,
          V(info_file_damaged), V(backup_file_missing), V(parent_missing), V(pages_damaged), V(record_unreadable),
          V(no_backup), V(no_archive), V(not_restorable), V(canary_wrong_key), V(canary_damaged), V(canary_other_key),
          V(repository_wrong_key), V(repository_damaged) or V(repository_absent).
        - Of what cannot be asked its own code, such as V(clock_skew), V(key_wrong), V(ca_unknown), V(no_bucket),
          V(no_name), V(store_timeout), V(unreachable), V(repository_unreadable), V(no_stanza), V(forbidden) or
          V(not_found).
      type: str
    message:
      description: The same for a person.
      type: str
locked:
  description: Whether a backup or an expiry is at work; null when the server's pod could not be asked.
  returned: success
  type: bool
repositories:
  description: Each repository, in the order of O(repositories).
  returned: success
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
    reached:
      description: Whether the store could be listed. Without that there is nothing below.
      type: bool
    restorable:
      description: The range that leads to the newest WAL; null when there is none.
      type: dict
      contains:
        backup:
          description: Label of the oldest backup that it begins with.
          type: str
        since:
          description: End of that backup in UTC, the oldest time one can restore to.
          type: str
        lsn:
          description: End of the last segment without a hole before it, and the newest position one can restore to.
          type: str
        wal:
          description: Name of that segment.
          type: str
        stored:
          description: When it was stored, in UTC. What it holds was committed before.
          type: str
        timeline:
          description: Timeline of that segment.
          type: int
        newest:
          description: Whether it leads to the newest WAL.
          type: bool
    ranges:
      description:
        - All ranges, oldest first; more than one when WAL is missing in between. Each as in
          RV(repositories[].restorable).
      type: list
      elements: dict
    unlisted:
      description: Folders of backups that pgBackRest does not list, such as those of one at work or interrupted.
      type: list
      elements: str
    lag:
      description: How far the repository is behind the server; null without a login, or without a restorable range.
      type: dict
      contains:
        bytes:
          description: WAL that the server has written since the newest position one can restore to.
          type: int
        seconds:
          description: Seconds since the last segment was stored, as far as there is newer WAL.
          type: float
        server_lsn:
          description: The server's position.
          type: str
    restores:
      description: The newest reports of restores and drills, at most five. One that was changed, or is missing, is a
        finding.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the restore.
          type: str
        started:
          description: When it began.
          type: str
        level:
          description: What was proven, as M(golive.cutover.pg_restore) tells it.
          type: int
        faults:
          description: Why the copy was not what was asked for; null when it was.
          type: list
          elements: str
        rto_s:
          description: Seconds until the copy could be written to.
          type: float
        rpo_s:
          description: Seconds of commits that were not in it.
          type: float
        kept:
          description: Whether its volume stayed.
          type: bool
    wal:
      description: The own listing of WAL.
      type: dict
      contains:
        archive_id:
          description: The archive of the database that the newest backup is of, such as V(17-1).
          type: str
        segments:
          description: How many segments it has.
          type: int
        segment_bytes:
          description: Bytes of a segment.
          type: int
        bytes:
          description: What they take in the store.
          type: int
        timeline:
          description: The server's timeline, or that of the newest backup.
          type: int
        timelines:
          description: All that have segments or a history file.
          type: list
          elements: int
        unknown_timelines:
          description: Those that the server has not come through.
          type: list
          elements: int
        line_is_known:
          description: Whether the ancestors of the timeline were told by a history file.
          type: bool
        last:
          description: As C(wal) of RV(repositories[].restorable); null without such a range.
          type: str
        lsn:
          description: As there.
          type: str
        stored:
          description: As there.
          type: str
        missing:
          description: How many segments are missing since the oldest backup.
          type: int
        holes:
          description:
            - The first twenty holes with C(first), C(last), C(count), and the times C(after) and C(before) when their
              neighbours were stored.
          type: list
          elements: dict
        odd:
          description: Files with a wrong size, or that do not belong there, with C(name) and C(reason).
          type: list
          elements: dict
        rewritten:
          description: Segments that were stored long after their successors.
          type: list
          elements: str
    key:
      description: Whether the passphrase in the cluster opens the repository.
      type: dict
      contains:
        canary:
          description:
            - V(ok), V(absent), V(damaged), V(other_key) or V(wrong_key); null when the passphrase is not known.
          type: str
        repository:
          description: V(ok), V(absent), V(damaged) or V(wrong_key), tried on its own first file.
          type: str
    backups:
      description:
        - Its completed backups, oldest first, each as RV(golive.cutover.pg_backup#module:backup), with what follows.
      type: list
      elements: dict
      contains:
        id:
          description: Label of the backup.
          type: str
        verified_level:
          description: Level it was verified to, V(L0) to V(L7); null when it was not, or was found to be bad.
          type: str
        verified_at:
          description: When that was, in UTC.
          type: str
        missing_wal:
          description: First missing segment without which it cannot be made consistent; null when it has all.
          type: str
        on_line:
          description: Whether it is on the line of timelines that the server has come through.
          type: bool
        file_faults:
          description: What is missing of its files that are named in no list.
          type: list
          elements: str
code:
  description:
    - Machine-readable code of the failure, such as V(library_missing), V(kubeconfig_invalid) or V(unreachable).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._backup.info import pg_backup_info
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import repositories_spec
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "namespace": {"type": "str", "required": True},
        "app": {"type": "str", "required": True},
        **repositories_spec(),
        "key_secret": {"type": "str", "no_log": False},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return pg_backup_info(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
