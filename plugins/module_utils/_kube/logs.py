# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines a container wrote."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path

_LONGEST_LINE = 2000
_WAIT_S = 5.0


def log_tail(
    client: Client,
    namespace: str,
    pod: str,
    container: str,
    *,
    lines: int,
    secrets: Iterable[str] = (),
    previous: bool = False,
) -> list[str]:
    """At most ``lines`` lines, oldest first, values of ``secrets`` masked.

    Empty when there is no log, or none may be read: a log explains a failure, it must not become one.
    """
    if lines < 1 or not container:
        return []
    query = {"container": container, "tailLines": lines, "previous": previous}
    try:
        text = client.text(f"{collection_path('Pod', namespace, pod)}/log", query, retry=False, timeout=_WAIT_S)
    except GoliveError:
        return []
    return [line[:_LONGEST_LINE] for line in mask_text(text, secrets).splitlines()[-lines:]]
