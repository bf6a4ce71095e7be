# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow what a set has started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.track import failure_of, track
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import KINDS


def track_set(call: Call, client: Client, result: Mapping[str, Any]) -> dict[str, Any] | None:
    """What ``track`` says of the workloads in the result of ``apply_set``; None when there is nothing to follow.

    All of them, not only those that changed: an earlier run may have left one behind that never became ready. Raises
    the cause of a failure, with the result of the apply beside it.
    """
    params = call.params
    rows = [row for row in result["objects"] if row["kind"] in KINDS]
    if not params["track"] or params["state"] == "absent" or call.check_mode or not rows:
        return None
    tracked = track(call, client, rows, timeout=params["track_timeout"])
    failure = failure_of(tracked)
    if failure:
        raise GoliveError(failure.code, failure.message, failure.hint, {**result, "tracked": tracked})
    return tracked
