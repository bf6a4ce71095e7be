# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a short command in a container of a pod.

Subprotocol ``v4.channel.k8s.io``: the first byte of a message is its channel, 1 output, 2 errors, 3 the outcome as a
Status object (Kubernetes source, k8s.io/kubelet/pkg/cri/streaming/remotecommand/websocket.go).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
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
_MOST = 1 << 20


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it wrote."""

    exit_code: int
    output: str
    errors: str


def run_in_pod(
    client: Client, namespace: str, pod: str, command: Sequence[str], *, container: str | None, timeout: float
) -> str:
    """The standard output of a command that ends with 0; ``timeout`` in seconds for all of it.

    Raises GoliveError ``exec_failed`` (with ``exit_code`` in its details when there is one), and as ``command_in_pod``.
    """
    ended = command_in_pod(client, namespace, pod, command, container=container, timeout=timeout)
    if ended.exit_code:
        raise GoliveError(
            "exec_failed",
            f"Running {command[0]} in pod {pod} failed: {ended.errors.strip() or f'exit code {ended.exit_code}'}",
            "Check that the container has this command.",
            {"exit_code": ended.exit_code},
        )
    return ended.output


def command_in_pod(
    client: Client, namespace: str, pod: str, command: Sequence[str], *, container: str | None, timeout: float
) -> Ended:
    """Run a command to its end, whatever its exit code; ``timeout`` in seconds for all of it.

    Raises GoliveError ``exec_failed`` when it could not be started, ``timeout`` (its ``errors`` so far are in the
    details; it goes on inside of the container), ``forbidden``, ``not_found``, ``unreachable`` or ``library_missing``.
    Only the first MiB of each output is kept.
    """
    query = [("command", part) for part in command] + [("stdout", "true"), ("stderr", "true")]
    query += [("container", container)] if container else []
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/exec"
    what = f"Running {command[0]} in pod {pod}"
    end = time.monotonic() + timeout
    stream = open_websocket(client, f"{path}?{urlencode(query)}", what, f"pods/exec in {namespace}")
    texts = {_OUTPUT: bytearray(), _ERRORS: bytearray(), _OUTCOME: bytearray()}
    try:
        while not texts[_OUTCOME]:
            stream.settimeout(max(0.01, end - time.monotonic()))
            message: Any = stream.recv()
            data = message.encode() if isinstance(message, str) else bytes(message)
            if not data:
                break
            text = texts.setdefault(data[0], bytearray())
            text += data[1 : 1 + max(0, _MOST - len(text))]
    except websocket.WebSocketTimeoutException as error:
        told = {"errors": texts[_ERRORS].decode("utf-8", "replace")}
        raise GoliveError("timeout", f"{what} took longer than {timeout:g} s.", None, told) from error
    except websocket.WebSocketConnectionClosedException:
        pass
    except (websocket.WebSocketException, OSError) as error:
        raise GoliveError("unreachable", f"{what} failed: the connection broke: {error}") from error
    finally:
        stream.close(timeout=1)
    output, errors = (texts[channel].decode("utf-8", "replace") for channel in (_OUTPUT, _ERRORS))
    return Ended(exit_code_of(what, bytes(texts[_OUTCOME]), errors.strip()), output, errors)


def exit_code_of(what: str, outcome: bytes, errors: str) -> int:
    """The exit code that the outcome of a command tells; ``what`` and ``errors`` are for when it could not be started.

    Raises GoliveError ``exec_failed``, or ``unreachable`` without an outcome.
    """
    if not outcome:
        raise GoliveError("unreachable", f"{what} failed: the connection ended without an outcome.")
    status = json.loads(outcome)
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or []
    code = next((cause.get("message") for cause in causes if cause.get("reason") == "ExitCode"), None)
    if code and code.isdigit():
        return int(code)
    reason = errors or status.get("message") or "no reason given"
    raise GoliveError("exec_failed", f"{what} failed: {reason}", "Check that the container has this command.")
