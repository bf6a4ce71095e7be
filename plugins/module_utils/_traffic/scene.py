# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app's traffic, read at one time: what a switch judges before it starts, and what the info verb shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import (
    Colour,
    Members,
    read_colour,
    read_members,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.data_plane import DataPlane, read_data_plane
from ansible_collections.golive.cutover.plugins.module_utils._traffic.endpoints import Endpoints, read_endpoints
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import (
    REFUSE,
    Hazard,
    pod_hazards,
    service_hazards,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOURS
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver


@dataclass(frozen=True)
class Scene:
    """One reading. ``service`` is None when the live Service does not exist."""

    service: Mapping[str, Any] | None
    colours: Mapping[str, Colour]
    members: Members
    endpoints: Endpoints
    data_plane: DataPlane
    hazards: tuple[Hazard, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """Address families of the live Service, as EndpointSlices name them."""
        return families_of(self.service)

    @property
    def stays_on_node(self) -> bool:
        """Whether traffic only reaches pods of the node it came to, or came from."""
        spec = (self.service or {}).get("spec") or {}
        return "Local" in (spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy"))

    def refuse(self) -> None:
        """Raise GoliveError with the first hazard that forbids a switch; all of them are in its details."""
        found = [hazard for hazard in self.hazards if hazard.severity == REFUSE]
        if found:
            raise GoliveError(
                found[0].code, found[0].message, found[0].hint, {"hazards": [hazard.as_dict() for hazard in found]}
            )


def families_of(service: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Address families of a Service."""
    return tuple(((service or {}).get("spec") or {}).get("ipFamilies") or ("IPv4",))


def keeps_clients(service: Mapping[str, Any] | None) -> bool:
    """Whether clients stay on their pod."""
    return ((service or {}).get("spec") or {}).get("sessionAffinity") == "ClientIP"


def read_scene(client: Client, driver: ServiceDriver, shared: Mapping[str, str], accepted: Iterable[str]) -> Scene:
    """Read all of it at once; ``shared`` is what the live selector holds beside the colour."""
    readers: list[Callable[[], Any]] = [
        driver.service,
        lambda: read_members(client, driver.namespace, shared, driver.colour_key),
        lambda: read_endpoints(client, driver.namespace, driver.name),
        lambda: read_data_plane(client, driver.namespace, driver.name),
        *(partial(read_colour, client, driver.namespace, driver.name, colour) for colour in COLOURS),
    ]
    service, members, endpoints, plane, *found = client.map(lambda read: read(), readers)
    colours = {colour.name: colour for colour in found}
    if service is None:
        return Scene(None, colours, members, endpoints, plane, ())
    hazards = (
        *service_hazards(service, accepted),
        *pod_hazards(service, members, endpoints, colours),
        *plane.hazards,
    )
    return Scene(service, colours, members, endpoints, plane, hazards)
