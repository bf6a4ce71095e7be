# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move traffic by the selector of the live Service, with guarded writes; reference section 2.2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import JSON_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    ABSENT,
    COLOURS,
    DONE,
    FENCING,
    FOREIGN,
    LOST,
    NAME_KEY,
    Route,
    judge,
    patch_to,
    read_route,
    wanted_selector,
)

MANAGER = "golive-traffic"
WRITE_S = 10.0
_SENDS = 2
_AGAIN_S = 0.3
# A refusal wrote nothing: somebody who annotates the Service all the time costs one more look each time.
_REFUSED = ("conflict", "invalid")
_REFUSALS = 8
# After these the write may or may not have happened: look, never resend.
UNCERTAIN = ("conflict", "invalid", "unreachable", "busy", "server_error")


class ServiceDriver:
    """The live Service ``name`` and its two fixed colour Services ``<name>-blue`` and ``<name>-green``."""

    kind = "service"
    features: frozenset[str] = frozenset()

    def __init__(
        self, call: Call, client: Client, namespace: str, name: str, colour_key: str, token: str | None = None
    ) -> None:
        self.namespace = namespace
        self.name = name
        self.colour_key = colour_key
        self._call = call
        self._client = client
        self.token = token
        self._shared: dict[str, str] | None = None

    def path(self, name: str) -> str:
        """API path of a Service of the namespace."""
        return self._client.path_of("v1", "Service", self.namespace, name)

    def service(self) -> dict[str, Any] | None:
        """The live Service as it is now."""
        return self._client.get_or_none(self.path(self.name))

    def name_label(self) -> dict[str, str]:
        """The label that every pod of the app has."""
        return {NAME_KEY: self.name}

    def shared(self) -> dict[str, str]:
        """What the live selector must hold beside the colour: what the fixed colour Services select.

        Without colour Services, the app's name label. Raises GoliveError ``selector_foreign`` when the two disagree.
        """
        if self._shared is None:
            found = [self._client.get_or_none(self.path(f"{self.name}-{colour}")) for colour in COLOURS]
            rests = [
                {key: value for key, value in selector.items() if key != self.colour_key}
                for selector in ((service["spec"].get("selector") or {}) for service in found if service)
            ]
            if any(rest != rests[0] or not rest for rest in rests):
                raise GoliveError(
                    "selector_foreign",
                    f"The Services {self.name}-blue and {self.name}-green in namespace {self.namespace} select"
                    " different pods beside their colour.",
                    "Give both the same selector, apart from the colour.",
                )
            self._shared = rests[0] if rests else self.name_label()
        return self._shared

    def read(self) -> Route:
        """The route as it is now, whatever its state."""
        return read_route(self.service(), self.shared(), self.colour_key)

    def read_usable(self) -> Route:
        """The route; raises GoliveError ``not_found``, ``selector_foreign``, ``lease_lost`` unless it can be moved."""
        route = self.read()
        where = f"Service {self.name} in namespace {self.namespace}"
        if route.state == ABSENT:
            raise GoliveError("not_found", f"Cannot switch {where}: it does not exist.", "Deploy the app first.")
        if route.state == FOREIGN:
            raise GoliveError(
                "selector_foreign",
                f"Cannot switch {where}: {route.reason}.",
                f"Someone else changed its selector. Find out who, then set it back: {self.manual_patch(COLOURS[0])}"
                f" (or {COLOURS[1]}).",
                {"selector": dict(route.selector)},
            )
        if self.token is not None and route.token > int(self.token):
            raise self._lost(route)
        return route

    def dry_run(self, route: Route, colour: str | None, notes: Mapping[str, str | None]) -> dict[str, Any]:
        """Let the API server judge a move without making it; returns the Service as it would be."""
        for _try in range(_REFUSALS - 1):
            try:
                return self._send(route, colour, notes, {"dryRun": "All"})
            except GoliveError as error:
                if error.code not in _REFUSED:
                    raise
            # Something else of the Service changed meanwhile, or the server does not want it: the last answer counts.
            route = self.read_usable()
        return self._send(route, colour, notes, {"dryRun": "All"})

    def move(self, route: Route, colour: str | None, notes: Mapping[str, str | None]) -> Route:
        """Go from ``route`` to LIVE(colour), or to OVERLAP for None; returns the route after the write.

        A write whose outcome is unknown is looked at, and sent once more only when nothing happened. Raises
        GoliveError ``lease_lost`` when somebody else moved it, or the server's refusal.
        """
        wanted = wanted_selector(route, colour, self.colour_key)
        trouble: GoliveError | None = None
        sends = refusals = 0
        while sends < _SENDS and refusals < _REFUSALS:
            self._call.alive()
            try:
                found = read_route(self._send(route, colour, notes, {}), self.shared(), self.colour_key)
            except GoliveError as error:
                if error.code not in UNCERTAIN:
                    raise
                trouble = error
                refusals += error.code in _REFUSED
                if error.code not in _REFUSED:
                    sends += 1
                    self._call.pause(_AGAIN_S)
                found = self.read()
            else:
                sends += 1
            verdict = judge(route, wanted, notes, found, self.token)
            if verdict == DONE:
                return found
            if verdict == LOST:
                raise self._lost(found)
            route = found
        raise GoliveError(
            "write_failed",
            f"Could not move Service {self.name}: {trouble.message if trouble else 'the write had no effect'}",
            trouble.hint if trouble else None,
            trouble.details if trouble else None,
        )

    def manual_patch(self, colour: str) -> str:
        """The command that sets the colour by hand, from any state."""
        patch = [{"op": "add", "path": "/spec/selector", "value": {**self.shared(), self.colour_key: colour}}]
        return f"kubectl -n {self.namespace} patch service {self.name} --type=json -p '{json.dumps(patch)}'"

    def _send(
        self, route: Route, colour: str | None, notes: Mapping[str, str | None], query: Mapping[str, str]
    ) -> dict[str, Any]:
        return self._client.request(
            "PATCH",
            self.path(self.name),
            query={"fieldManager": MANAGER, **query},
            body=patch_to(route, colour, self.colour_key, notes, self.token),
            content_type=JSON_PATCH,
            # What may have moved traffic is looked at and never resent; a question may be asked again.
            retry="dryRun" in query,
            timeout=WRITE_S,
        )

    def _lost(self, found: Route) -> GoliveError:
        token = f", fencing token {found.note(FENCING)}" if self.token is not None else ""
        where = "it is gone" if found.state == ABSENT else f"its selector is now {dict(found.selector)}{token}"
        return GoliveError(
            "lease_lost",
            f"Stopped moving Service {self.name}: somebody else writes to it; {where}.",
            "Let one run move an app at a time; look at what is live (traffic_info), then run again.",
            {"selector": dict(found.selector)},
        )
