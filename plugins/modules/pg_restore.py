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
  name:
    description:
      - Name of this restore, and the beginning of the Job's. With a volume that stays, a second run with the same name
        changes nothing when the first one came to its end, and goes on where it was interrupted otherwise.
    type: str
    required: true
  config_secret:
    description: Secret whose key C(pgbackrest.conf) leads to the repositories, as M(golive.cutover.backup_secret) makes
      it for a server.
    type: str
    required: true
  image:
    description: Image with PostgreSQL of the backup's major version and pgBackRest 2.59.1 or newer.
    type: str
    required: true
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
        description: Its size, as C(20Gi). It must hold the restored database.
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
"""
