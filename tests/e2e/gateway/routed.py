# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app in two colours behind a rule of an HTTPRoute, on the data plane of tests/gateway."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from typing import Any

from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.traffic.stand import Shop, until

KIND = "httproutes.gateway.networking.k8s.io"
_EXPORT = re.compile(r"^export ([A-Z_]+)=(.*)$", re.MULTILINE)


def data_plane() -> dict[str, str]:
    """Brings the Gateway up, unless it is; its variables."""
    done = subprocess.run([ROOT / "tests/gateway/gateway", "up"], check=True, stdout=subprocess.PIPE, text=True)
    return {name: value.strip("'\"") for name, value in _EXPORT.findall(done.stdout)}


class RoutedShop(Shop):
    """Its route takes what comes for ``/<app>`` and leads it to the root of the app."""

    def __init__(self, namespace: str, edge: dict[str, str]) -> None:
        super().__init__(namespace)
        self._edge = edge
        self.front = f"{edge['GOLIVE_GATEWAY_URL']}/{self.name}"

    def routed(self, blue: int = 100, **fields: Any) -> None:
        """A new route, with ``blue`` percent for blue, that answers."""
        refs = [
            {"name": f"{self.name}-{colour}", "port": 80, "weight": weight}
            for colour, weight in (("blue", blue), ("green", 100 - blue))
        ]
        rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
        rule = {
            "matches": [{"path": {"type": "PathPrefix", "value": f"/{self.name}"}}],
            "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
            "backendRefs": refs,
            **fields,
        }
        gateway = {"name": self._edge["GOLIVE_GATEWAY"], "namespace": self._edge["GOLIVE_GATEWAY_NAMESPACE"]}
        route = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"namespace": self.namespace, "name": self.name},
            "spec": {"parentRefs": [gateway], "rules": [rule]},
        }
        kubectl("-n", self.namespace, "delete", KIND, self.name, "--ignore-not-found")
        # `apply` would make kubectl a second writer of the rules.
        kubectl("create", "-f", "-", stdin=json.dumps(route))
        until(lambda: self.colour() == ("blue" if blue else "green"), 30, "answers of the route")

    def route(self) -> dict[str, Any]:
        """The route as it is."""
        found: dict[str, Any] = json.loads(kubectl("-n", self.namespace, "get", KIND, self.name, "-o", "json"))
        return found

    def weights(self) -> dict[str, int]:
        """Weights of the app's rule."""
        refs = self.route()["spec"]["rules"][0]["backendRefs"]
        return {ref["name"].rpartition("-")[2]: ref["weight"] for ref in refs}

    def route_notes(self) -> dict[str, str]:
        """Annotations of the route."""
        return dict(self.route()["metadata"].get("annotations") or {})

    def route_patch(self, *patch: dict[str, Any]) -> None:
        """Somebody edits the route by hand."""
        kubectl("-n", self.namespace, "patch", KIND, self.name, "--type=json", "-p", json.dumps(patch))

    def set_weight(self, colour: int, weight: int) -> None:
        """Somebody edits a weight by hand; colours count from 0 as the backends do."""
        self.route_patch(
            {"op": "replace", "path": f"/spec/rules/0/backendRefs/{colour}/weight", "value": weight},
        )

    def colour(self, path: str = "/healthz", **headers: str) -> str:
        """The colour that answers one request; empty when none does."""
        asked = urllib.request.Request(f"{self.front}{path}", headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=2) as answer:
                return str(answer.headers.get("X-App-Colour") or "")
        except OSError:
            return ""

    def count(self, requests: int, path: str = "/healthz", **headers: str) -> dict[str, int]:
        """Answers by colour."""
        found: dict[str, int] = {}
        for _request in range(requests):
            colour = self.colour(path, **headers)
            found[colour] = found.get(colour, 0) + 1
        return found

    def info_options(self) -> dict[str, Any]:
        """Options of the info verb."""
        return self.options(driver="gateway", gateway={"route": self.name})

    def by_route(self, to: str, **options: Any) -> dict[str, Any]:
        """Options of a quick move by weights that is proven by probes."""
        probe = {"url": f"{self.front}/healthz", **options.pop("probe", {})}
        given = {"driver": "gateway", "gateway": {"route": self.name}, "probe": probe, "overlap_timeout": 10}
        return self.switch_options(to, **{**given, **options})
