# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The waits of a switch: new is up, both colours serve, only one serves; reference section 2.3, R1 to R3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods import Steady
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import (
    Colour,
    Members,
    cannot_come_up,
    long_ready,
    not_up,
    read_colour,
    read_members,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.endpoints import Endpoints, gap, read_endpoints
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver

QUIET_S = 1.0
_LOOK_S = 0.25


@dataclass(frozen=True)
class Serving:
    """Pods and endpoints of the live Service at the end of a wait."""

    members: Members
    endpoints: Endpoints


def wait_up(
    call: Call,
    client: Client,
    driver: ServiceDriver,
    colour: str,
    needed: int,
    soak: float,
    timeout: float,
    hopeful: bool = False,
    soaked: frozenset[Steady] = frozenset(),
) -> Colour:
    """Wait until a colour is really up and stayed so for ``soak`` seconds without a restart.

    Pods of ``soaked`` that are still what they were have stayed so already: whatever happens to a pod changes that.

    Raises GoliveError ``not_ready`` with what is missing, at once when it vanished, or when it can only come if
    somebody changes it, unless ``hopeful``.
    """
    quiet: dict[str, int] | None = None
    since = call.now()

    def look() -> Done[Colour] | Failed | Pending:
        nonlocal quiet, since
        seen = read_colour(client, driver.namespace, driver.name, colour)
        reasons = not_up(seen, needed)
        if seen.deployment is None or (cannot_come_up(seen, needed) and not hopeful):
            return Failed(not_ready(driver, colour, reasons))
        if reasons:
            quiet = None
            return Pending("; ".join(reasons[:3]))
        restarts = {pod.uid: pod.restarts for pod in seen.pods}
        if restarts != quiet:
            quiet, since = restarts, call.now()
        steady = bool(soaked) and {pod.steady for pod in seen.pods} <= soaked
        if call.now() - since >= soak or steady or long_ready(seen, soak, datetime.now(timezone.utc)):
            return Done(seen)
        return Pending(f"ready for {call.now() - since:.0f} of {soak:g} s")

    try:
        return wait_for(call, look, what=f"{driver.name}-{colour}", timeout=timeout + soak, interval=_LOOK_S)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        raise not_ready(driver, colour, [str(error.details["last_seen"])], timeout) from error


def not_ready(driver: ServiceDriver, colour: str, reasons: list[str], after: float | None = None) -> GoliveError:
    """The refusal to move traffic to a colour that is not up."""
    waited = f" after {after:g} s" if after is not None else ""
    return GoliveError(
        "not_ready",
        f"Cannot move Service {driver.name} to {colour}: {driver.name}-{colour} is not up{waited}:"
        f" {'; '.join(reasons[:5])}.",
        "Find out why with kube_track; live traffic was not touched.",
        {"reasons": reasons},
    )


def wait_serving(
    call: Call,
    client: Client,
    driver: ServiceDriver,
    families: tuple[str, ...],
    colours: tuple[str, ...],
    banned: Mapping[str, str],
    timeout: float,
    quiet_s: float = QUIET_S,
    meanwhile: Callable[[], object] | None = None,
) -> Serving:
    """Wait until all EndpointSlices hold exactly the Ready pods of ``colours``, on two reads ``quiet_s`` apart.

    ``banned`` are pods (UID to name) that must be in no slice any more, beside those of the other colours.
    ``meanwhile`` is called on every read that finds them right. Raises GoliveError ``endpoints`` with the family and
    pods that differ.
    """
    quiet: frozenset[str] | None = None
    since = call.now()

    def look() -> Done[Serving] | Failed | Pending:
        nonlocal quiet, since
        members = read_members(client, driver.namespace, driver.shared(), driver.colour_key)
        endpoints = read_endpoints(client, driver.namespace, driver.name)
        difference = gap(endpoints, families, _pods_of(members.ready, colours), {**banned, **_others(members, colours)})
        if difference:
            quiet = None
            return Pending(difference)
        if endpoints.ready_ids() != quiet:
            quiet, since = endpoints.ready_ids(), call.now()
        if meanwhile:
            meanwhile()
        if call.now() - since >= quiet_s:
            return Done(Serving(members, endpoints))
        return Pending("endpoints are right, reading once more")

    return _endpoints(
        lambda: wait_for(call, look, what=f"endpoints of {driver.name}", timeout=timeout, interval=_LOOK_S)
    )


def _endpoints(wait: Callable[[], Serving]) -> Serving:
    try:
        return wait()
    except GoliveError as error:
        if error.code != "timeout":
            raise
        hint = "Look at the EndpointSlices of the Service and at the readiness of its pods."
        raise GoliveError("endpoints", error.message, hint, error.details) from error


def _pods_of(by_colour: Mapping[str, Mapping[str, str]], colours: tuple[str, ...]) -> dict[str, str]:
    return {uid: name for colour in colours for uid, name in by_colour[colour].items()}


def _others(members: Members, colours: tuple[str, ...]) -> dict[str, str]:
    return {uid: name for colour, pods in members.every.items() if colour not in colours for uid, name in pods.items()}
