# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep both colours large enough for a switch and for its return; reference 2.3, R1 and R6."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.autoscalers import hold, read_autoscalers, release
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import read_colour
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import other
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.sizing import scale

_TRIES = 3


def refill(call: Call, client: Client, app: ServiceDriver, colour: str, needed: int) -> None:
    """Let a colour have at least ``needed`` pods; returns at once. Raises GoliveError of ``scale``."""
    name = f"{app.name}-{colour}"
    for attempt in range(_TRIES):
        seen = read_colour(client, app.namespace, app.name, colour)
        if seen.deployment is None or seen.wanted >= needed:
            return
        autoscaler = read_autoscalers(client, app.namespace, [name]).get(name)
        if autoscaler is not None:
            hold(call, client, autoscaler, needed, app.token)
        try:
            scale(call, client, seen.deployment, needed, app.token)
            return
        except GoliveError as error:
            # An autoscaler or a person wrote at the same moment: see what there is now.
            if error.code != "overtaken" or attempt == _TRIES - 1:
                raise


def hold_both(call: Call, client: Client, app: ServiceDriver, to: str, pods: int) -> list[str]:
    """Keep autoscalers from shrinking either colour below ``pods`` until it has settled; the Deployments held.

    An idle colour is scaled down by its own metric, and the new one starts idle.
    """
    names = {colour: f"{app.name}-{colour}" for colour in (to, other(to))}
    found = read_autoscalers(client, app.namespace, names.values())
    held = []
    for name, autoscaler in found.items():
        try:
            if hold(call, client, autoscaler, pods, app.token):
                held.append(name)
        except GoliveError as error:
            if error.code != "forbidden":
                raise
            call.warn(f"The autoscaler of {name} may shrink it before it has settled: {error.message}")
    return held


def release_both(call: Call, client: Client, app: ServiceDriver) -> dict[str, int]:
    """Give the autoscalers their own bounds back; the lower bound of each Deployment that has one."""
    names = [f"{app.name}-{colour}" for colour in ("blue", "green")]
    found = read_autoscalers(client, app.namespace, names)
    return {name: release(call, client, autoscaler, app.token) for name, autoscaler in found.items()}
