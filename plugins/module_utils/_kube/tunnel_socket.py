# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port-forward WebSocket to one pod."""

from __future__ import annotations

import ssl
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
    configuration = client.configuration
    try:
        opened = websocket.create_connection(
            f"ws{client.host.removeprefix('http')}{path}?ports={to.port}",
            timeout=_CONNECT_S,
            header=[f"{row['key']}: {row['value']}" for row in _credentials(configuration)],
            subprotocols=[_PROTOCOL],
            suppress_origin=True,
            sslopt={"context": _tls(configuration), **_server_name(configuration)},
            **_proxy(configuration),
        )
    except websocket.WebSocketBadStatusException as error:
        raise _refused(target, path, error) from error
    except (websocket.WebSocketException, OSError) as error:
        raise GoliveError(
            "unreachable",
            f"Opening a tunnel to {target} failed: no answer from the API server {client.host}: {error}",
            "Check that the cluster runs, and that proxies on the way let WebSockets pass.",
        ) from error
    sock: Any = opened.sock
    sock.setblocking(False)
    return sock


def _refused(target: Target, path: str, error: Any) -> GoliveError:
    cause = api_error("GET", path, error.status_code, error.resp_body or b"")
    hint = cause.hint
    if cause.code == "forbidden":
        hint = f"Grant get and create on pods/portforward in the namespace {target.namespace}."
    return GoliveError(cause.code, f"Opening a tunnel to {target} failed: {cause.message}", hint, cause.details)


def _credentials(configuration: Any) -> list[dict[str, Any]]:
    return [row for row in configuration.auth_settings().values() if row["in"] == "header" and row["value"]]


def _tls(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert or None)
    if getattr(configuration, "disable_strict_ssl_verification", False):
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.assert_hostname is False or not configuration.verify_ssl:
        context.check_hostname = False
    if not configuration.verify_ssl:
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


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
