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
    description: Name of the app, whose server is C(<app>-postgres) and whose pod is asked for the list of backups. Where
      it does not run, a Job lists them.
    type: str
    required: true
  name:
    description:
      - Name of this restore, and the beginning of the Job's. With a volume that stays, a second run with the same name
        changes nothing when the first one came to its end, and goes on where it was interrupted otherwise.
    type: str
    required: true
  config_secret:
    description: Secret whose key C(pgbackrest.conf) leads to the repositories, as M(golive.cutover.backup_secret) makes
      it for the server. Without it C(<app>-postgres-backup).
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
  repository:
    description: Number of the repository to restore from.
    type: int
    default: 1
  repositories:
    description: The repositories in the order of the configuration, for the own listing of the archive.
    type: list
    elements: dict
    required: true
    suboptions: REPOSITORIES
  target:
    description: How far to replay.
    type: dict
    default: {}
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
        description: A time in ISO 8601 with its offset, an LSN, or the name of a restore point, for which O(backup) must
          name the backup.
        type: str
  backup:
    description: Label of the backup to begin from. Without it the newest that ended before the target.
    type: str
  timeline:
    description: Timeline to follow. Without it that of the newest backup.
    type: int
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
  lost_at:
    description: When the live database was lost, as a time in ISO 8601 with its offset, for RV(rpo_s). Without it the
      begin of the task.
    type: str
  record:
    description: Whether the repository keeps what was proven of the backup, and a report of this restore in a chain.
    type: bool
    default: true
  timeout:
    description: Seconds for all of the Job.
    type: float
    default: 3600
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
