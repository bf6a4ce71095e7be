# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep both colours large enough for a switch and for its return; reference 2.3, R1 and R6."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.autoscalers import hold, read_autoscalers, release
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import read_colour
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.sizing import scale
from ansible_collections.golive.cutover.plugins.module_utils._traffic.waits import wait_up

_TRIES = 3
# Looks whether old has grown while new was brought to its size; an autoscaler ends at its upper bound anyway.
_GROWTH_TRIES = 5


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


def hold_both(call: Call, client: Client, app: ServiceDriver, pods: Mapping[str, int]) -> list[str]:
    """Keep autoscalers from shrinking the colours below so many ``pods`` until they have settled; the Deployments held.

    An idle colour is scaled down by its own metric, and the new one starts idle.
    """
    sizes = {f"{app.name}-{colour}": least for colour, least in pods.items()}
    found = read_autoscalers(client, app.namespace, sizes)
    held = []
    for name, autoscaler in found.items():
        try:
            if hold(call, client, autoscaler, sizes[name], app.token):
                held.append(name)
        except GoliveError as error:
            if error.code != "forbidden":
                raise
            call.warn(f"The autoscaler of {name} may shrink it before it has settled: {error.message}")
    return held


def follow_growth(
    call: Call, client: Client, app: ServiceDriver, to: str, pods: Callable[[], Mapping[str, int]], timeout: float
) -> None:
    """Let the autoscaler of ``to`` bring it to the size that ``pods`` wants of it each time that it is asked.

    The other colour may have grown since ``to`` was brought up. Raises GoliveError ``not_ready`` after ``timeout``.
    """
    for _try in range(_GROWTH_TRIES):
        sizes = pods()
        # Without an autoscaler that has room, nothing would bring it there.
        if f"{app.name}-{to}" not in hold_both(call, client, app, sizes):
            return
        wait_up(call, client, app, to, sizes[to], 0.0, timeout, hopeful=True)


def release_both(call: Call, client: Client, app: ServiceDriver) -> dict[str, int]:
    """Give the autoscalers their own bounds back; the lower bound of each Deployment that has one."""
    names = [f"{app.name}-{colour}" for colour in ("blue", "green")]
    found = read_autoscalers(client, app.namespace, names)
    return {name: release(call, client, autoscaler, app.token) for name, autoscaler in found.items()}
