# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets to one pod: port-forward, and the handshake that exec shares."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit

try:
    import websocket
except ImportError:
    websocket = None  # type: ignore[assignment]  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.refusals import api_error
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_target import PodPort, Target

_PROTOCOL = "v4.channel.k8s.io"
_CONNECT_S = 10.0


def connect(client: Client, target: Target, to: PodPort) -> Any:
    """A non-blocking socket after the handshake; nothing of the pod's answer has been read.

    Raises GoliveError with the code of ``api_error`` (``forbidden``, ``not_found`` …) or ``unreachable``.
    """
    path = f"/api/v1/namespaces/{quote(target.namespace, safe='')}/pods/{quote(to.pod, safe='')}/portforward"
    what = f"Opening a tunnel to {target}"
    opened = open_websocket(client, f"{path}?ports={to.port}", what, f"pods/portforward in {target.namespace}")
    sock: Any = opened.sock
    sock.setblocking(False)
    return sock


def open_websocket(client: Client, path: str, what: str, right: str) -> Any:
    """A WebSocket of the library after the handshake with a streaming subresource of the API.

    ``what`` begins the messages of failures, ``right`` is what a refused user lacks. Raises GoliveError with the code
    of ``api_error`` (``forbidden``, ``not_found`` …), ``unreachable`` or ``library_missing``.
    """
    if websocket is None:
        raise GoliveError(
            "library_missing",
            "The Python library websocket-client is missing.",
            "Install it for the Python that runs this task: pip install websocket-client.",
        )
    configuration = client.configuration
    try:
        return websocket.create_connection(
            f"ws{client.host.removeprefix('http')}{path}",
            timeout=client.time_for(_CONNECT_S),
            header=[f"{row['key']}: {row['value']}" for row in _credentials(configuration)],
            subprotocols=[_PROTOCOL],
            suppress_origin=True,
            sslopt={"context": client.tls, **_server_name(configuration)},
            **_proxy(configuration),
        )
    except websocket.WebSocketBadStatusException as error:
        cause = api_error("GET", path.partition("?")[0], error.status_code, error.resp_body or b"")
        hint = f"Grant get and create on {right}." if cause.code == "forbidden" else cause.hint
        raise GoliveError(cause.code, f"{what} failed: {cause.message}", hint, cause.details) from error
    except (websocket.WebSocketException, OSError) as error:
        raise GoliveError(
            "unreachable",
            f"{what} failed: no answer from the API server {client.host}: {error}",
            "Check that the cluster runs, and that proxies on the way let WebSockets pass.",
        ) from error


def _credentials(configuration: Any) -> list[dict[str, Any]]:
    return [row for row in configuration.auth_settings().values() if row["in"] == "header" and row["value"]]


def _server_name(configuration: Any) -> dict[str, str]:
    name = configuration.tls_server_name
    return {"server_hostname": name} if name else {}


def _proxy(configuration: Any) -> dict[str, Any]:
    if not configuration.proxy:
        return {}
    proxy = urlsplit(configuration.proxy)
    login = (unquote(proxy.username), unquote(proxy.password or "")) if proxy.username else None
    return {
        "http_proxy_host": proxy.hostname,
        "http_proxy_port": proxy.port or 80,
        "http_proxy_auth": login,
        "http_no_proxy": configuration.no_proxy.split(",") if configuration.no_proxy else None,
    }
