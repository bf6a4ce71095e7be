# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option that reaches a database from inside of a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``in_cluster_spec`` of ``module_utils/_reach/job_spec.py``."""

    DOCUMENTATION = r"""
options:
  in_cluster:
    description:
      - Reach a database that only the cluster reaches, by a Kubernetes Job that is deleted at the end, also when this
        task is cancelled.
      - M(golive.cutover.db_migrate) runs in that Job. Any other module runs where its task does, and the pod of the Job
        passes its connections on; a port-forward of the Kubernetes API leads to the pod. When such a task is killed,
        the Job ends a minute after the last connection. This needs the rights C(create), C(delete), C(list) and
        C(watch) on Jobs, C(list) and C(watch) on pods, C(get) on C(pods/log), and C(get) and C(create) on
        C(pods/portforward).
      - Check mode starts no Job, so that it knows nothing of the database.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Job, and of O(postgresql.password_secret) when that names none.
        type: str
        required: true
      image:
        description: Image with Python 3.10 or newer as C(python3); M(golive.cutover.db_migrate) needs psycopg2 in it,
          too.
        type: str
        required: true
      timeout:
        description: Seconds the Job may last.
        type: float
        default: 3600
      labels:
        description: More labels of its pod, such as those that a network policy asks for.
        type: dict
        default: {}
      pull_secrets:
        description: Names of Secrets to pull the image with.
        type: list
        elements: str
        default: []
      resources:
        description: Requests and limits of its container.
        type: dict
        default: {}
"""
