# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One restore of a name at a time: a Lease of that name, so that a second run never takes the first one's volume."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import Run
from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import this_holder
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease import Wish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_keeper import run_alone

# Whoever gives no sign of life for as long is taken for dead, where its process cannot be looked at.
_LEASE_S = 30


def restored_alone(run: Run, call: Call) -> Mapping[str, Any]:
    """What ``run`` returns while no other restore of this name is at work.

    Raises GoliveError ``restore_locked``, which tells who is at it; nothing was touched then.
    """
    name = call.params["name"]
    wish = Wish(
        namespace=call.params["namespace"],
        name=name,
        identity=secrets.token_hex(8),
        holder=this_holder(),
        about={"action": "restore", "run_id": name},
        duration=_LEASE_S,
        take_over=False,
    )
    try:
        return run_alone(run, call, wish)
    except GoliveError as error:
        if error.code != "locked":
            raise
        by = error.details["held_by"]
        raise GoliveError(
            "restore_locked",
            f"Restoring {call.params['app']} was refused: {by['user']} on {by['host']}, process"
            f" {by['pid'] or 'unknown'}, is at the restore {name} since {by['since']}. Nothing was touched.",
            "Wait for its end, or end it and run again.",
            error.details,
        ) from error
