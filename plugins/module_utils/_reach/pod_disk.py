# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much room the volume of a database has, asked in its pod: no SQL tells it."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import run_in_pod

# PGDATA is what the official images, and those derived from them, set.
_ASK = ("sh", "-c", 'df -Pk "$PGDATA"')
_LONGEST_S = 5.0


def room_in_pod(client: Client, namespace: str, pod: str) -> tuple[int, int] | None:
    """Bytes free where the pod has its data, and the volume's size; None when it may not be asked, or is no PostgreSQL
    itself."""
    try:
        output = run_in_pod(client, namespace, pod, _ASK, container=None, timeout=_LONGEST_S)
        row = output.splitlines()[-1].split()
        return int(row[3]) * 1024, int(row[1]) * 1024
    except (GoliveError, ValueError, IndexError):
        return None
