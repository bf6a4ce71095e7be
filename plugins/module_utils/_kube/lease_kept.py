# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verb under the Lease of its run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import Run
from ansible_collections.golive.cutover.plugins.module_utils._kube.held import held_from


def under_lease(run: Run) -> Run:
    """The verb ``run`` under the Lease of its option ``lease``, if it names one.

    Raises GoliveError ``lease_lost`` at its start, in its waits and before its requests when the run no longer holds
    the Lease. Check mode only looks.
    """

    @functools.wraps(run)
    def kept(call: Call) -> Mapping[str, Any]:
        held = held_from(call.params.get("lease"))
        if held is None:
            return run(call)
        # Late: the library of Kubernetes takes longer to import than a verb that needs no cluster takes in all.
        from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_keeper import run_held

        return run_held(run, call, held)

    return kept
