# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a short command in a container of a pod.

Subprotocol ``v4.channel.k8s.io``: the first byte of a message is its channel, 1 output, 2 errors, 3 the outcome as a
Status object (Kubernetes source, k8s.io/kubelet/pkg/cri/streaming/remotecommand/websocket.go).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

try:
    import websocket
except ImportError:
    websocket = None  # type: ignore[assignment]  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_socket import open_websocket

_OUTPUT, _ERRORS, _OUTCOME = 1, 2, 3


def run_in_pod(
    client: Client, namespace: str, pod: str, command: Sequence[str], *, container: str | None, timeout: float
) -> str:
    """The standard output of a command that ends with 0; ``timeout`` is the longest silence in seconds.

    Raises GoliveError ``exec_failed`` (with ``exit_code`` in its details when there is one), ``timeout``,
    ``forbidden``, ``not_found``, ``unreachable`` or ``library_missing``.
    """
    query = [("command", part) for part in command] + [("stdout", "true"), ("stderr", "true")]
    query += [("container", container)] if container else []
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/exec"
    what = f"Running {command[0]} in pod {pod}"
    stream = open_websocket(client, f"{path}?{urlencode(query)}", what, f"pods/exec in {namespace}")
    texts = {_OUTPUT: bytearray(), _ERRORS: bytearray(), _OUTCOME: bytearray()}
    try:
        stream.settimeout(timeout)
        while True:
            message: Any = stream.recv()
            data = message.encode() if isinstance(message, str) else bytes(message)
            if not data:
                break
            texts.setdefault(data[0], bytearray()).extend(data[1:])
            if data[0] == _OUTCOME:
                break
    except websocket.WebSocketTimeoutException as error:
        raise GoliveError("timeout", f"{what} took longer than {timeout:g} s.") from error
    except websocket.WebSocketConnectionClosedException:
        pass
    except (websocket.WebSocketException, OSError) as error:
        raise GoliveError("unreachable", f"{what} failed: the connection broke: {error}") from error
    finally:
        stream.close(timeout=1)
    _need_success(what, bytes(texts[_OUTCOME]), texts[_ERRORS].decode("utf-8", "replace").strip())
    return texts[_OUTPUT].decode("utf-8", "replace")


def _need_success(what: str, outcome: bytes, errors: str) -> None:
    lost: dict[str, Any] = {"message": "the connection ended without an outcome"}
    status = json.loads(outcome) if outcome else lost
    if status.get("status") == "Success":
        return
    causes = (status.get("details") or {}).get("causes") or []
    code = next((cause.get("message") for cause in causes if cause.get("reason") == "ExitCode"), None)
    reason = errors or status.get("message") or "no reason given"
    raise GoliveError(
        "exec_failed",
        f"{what} failed: {reason}",
        "Check that the container has this command.",
        {"exit_code": int(code)} if code and code.isdigit() else None,
    )
