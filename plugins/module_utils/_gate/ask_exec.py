# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``exec``: a command in a container of a pod, judged by its exit code and its output."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look, judged, of_way
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import Ended, command_in_pod

_TAIL_LINES = 10
_LONGEST_LINE = 500
_KILL_S = 5.0
_TELLING_PID = ("sh", "-c", 'echo $$ >&2; exec "$@"', "gate")


def ask(check: Mapping[str, Any], reach: Reach) -> Look:
    """Run the command once; all of it within ``timeout`` seconds. A command may change things: not in check mode."""
    if reach.call.check_mode:
        return Look(True, "not run in check mode")
    start = time.monotonic()
    try:
        client = reach.client()
        pod = check["pod"] or _ready_pod(client, check)
        ended = _ended(client, pod, check)
    except GoliveError as error:
        return of_way(error)
    return _judged(check, pod, ended, time.monotonic() - start)


def _ended(client: Client, pod: str, check: Mapping[str, Any]) -> Ended:
    """How the command ended. One that takes too long goes on in the container when we leave, so it is killed there."""
    namespace, container = check["namespace"], check["container"]
    command, limit = check["command"], check["timeout"]
    try:
        ended = command_in_pod(client, namespace, pod, [*_TELLING_PID, *command], container=container, timeout=limit)
    except GoliveError as error:
        if error.code == "exec_failed":
            # No shell: its process cannot be told, nor killed.
            return command_in_pod(client, namespace, pod, command, container=container, timeout=limit)
        pid = error.details.get("errors", "").partition("\n")[0]
        if error.code == "timeout" and pid.isdigit():
            kill = ["sh", "-c", f"kill -9 -{pid} || kill -9 {pid}"]
            with suppress(GoliveError):
                command_in_pod(client.undisturbed(), namespace, pod, kill, container=container, timeout=_KILL_S)
        raise
    return replace(ended, errors=ended.errors.partition("\n")[2])


def _ready_pod(client: Client, check: Mapping[str, Any]) -> str:
    """The newest ready pod with the labels."""
    chosen = ",".join(f"{key}={value}" for key, value in sorted(check["labels"].items()))
    listed = client.list(client.path_of("v1", "Pod", check["namespace"]), {"labelSelector": chosen})
    ready = [pod for pod in listed if pods.is_ready(pod) and not pods.is_deleting(pod)]
    if not ready:
        raise GoliveError("no_ready_pod", f"No pod with {chosen} in namespace {check['namespace']} is ready.")
    return str(max(ready, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))["metadata"]["name"])


def _judged(check: Mapping[str, Any], pod: str, ended: Ended, seconds: float) -> Look:
    faults = []
    if ended.exit_code != check["exit_code"]:
        faults.append(f"exit code {ended.exit_code} where {check['exit_code']} is wanted")
    if check["contains"] is not None and check["contains"] not in ended.output:
        faults.append(f"the output does not contain {check['contains']!r}")
    lines = [line[:_LONGEST_LINE] for line in (ended.output + ended.errors).splitlines()[-_TAIL_LINES:]]
    if faults and lines:
        faults.append(f"last line: {lines[-1]}")
    values = {"exit_code": ended.exit_code, "pod": pod, "log_tail": lines}
    return judged(faults, f"exit code {ended.exit_code}", seconds, check["max_latency"], values)
