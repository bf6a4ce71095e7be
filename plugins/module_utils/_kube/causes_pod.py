# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps one pod from becoming Ready: the pod rows of the fail-fast table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import NEVER, Finding, finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_claim import claim_finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_image import pull_code
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_events import Events
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import Limits

_PULLS = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable")
_STARTS = ("CreateContainerError", "RunContainerError", "PostStartHookError", "StartError", "ContainerCannotRun")
_NOT_STARTED = ("StartError", "ContainerCannotRun")
_PROBE_KILL = re.compile(r"failed (liveness|startup) probe")
_NO_SOURCE = re.compile(r"(secret|configmap) \S+ not found|non-existent (secret|config) key", re.IGNORECASE)
_SILENT_PULL_S = 60.0
_SIGKILL = 137


@dataclass
class Earlier:
    """What had happened to pods before they were first seen: an old restart is not this release's fault."""

    exits: dict[tuple[str, str], int] = field(default_factory=dict)
    kills: dict[tuple[str, str], int] = field(default_factory=dict)
    ends: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def note(self, pod: dict[str, Any], events: Events) -> None:
        """Remember a pod at its first sight. Only a container that runs then has put its past behind it."""
        uid = pod["metadata"]["uid"]
        if uid in self.seen:
            return
        self.seen.add(uid)
        for row in pods.container_statuses(pod):
            if pods.state_of(row, "running"):
                key = (uid, row["name"])
                self.exits[key] = pods.exits(row)
                self.kills[key] = len(probe_kills(uid, row["name"], events)) if pods.is_ready(pod) else 0
                self.ends.add(str(pods.last_end(row).get("containerID")))


def probe_kills(uid: str, container: str, events: Events) -> list[dict[str, Any]]:
    """Kills of a container by its liveness or startup probe; repeated events count as often as they happened."""
    found = events.of(uid, "Killing", container=container)
    return [
        row
        for row in found
        if _PROBE_KILL.search(row.get("message") or "")
        for _time in range(int(row.get("count") or 1))
    ]


@dataclass(frozen=True)
class PodLook:
    """One pod with everything its findings are read from. ``one_shot``: a Job's pod, whose ends the Job judges."""

    pod: dict[str, Any]
    events: Events
    limits: Limits
    earlier: Earlier
    claims: Sequence[dict[str, Any]] = ()
    one_shot: bool = False

    @property
    def uid(self) -> str:
        """UID of the pod."""
        return str(self.pod["metadata"]["uid"])

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong right now, by row of the table."""
        if pods.is_disrupted(self.pod):
            return
        yield from self._scheduling()
        yield from self._volumes_and_sandbox()
        for status in pods.container_statuses(self.pod):
            yield from self._image(status)
            yield from self._start(status)
            if not self.one_shot:
                yield from self._ends(status)
        if not self.one_shot:
            yield from self._readiness()

    def _scheduling(self) -> Iterator[Finding]:
        row = pods.condition(self.pod, "PodScheduled")
        message = str(row.get("message") or row.get("reason") or "")
        if row.get("status") != "False":
            return
        if row.get("reason") == "SchedulingGated":
            gates = ", ".join(gate["name"] for gate in self.pod["spec"].get("schedulingGates") or [])
            yield finding(self.pod, "scheduling_gated", f"Waits for the scheduling gate {gates}.", NEVER)
            return
        claim = self._unbound_claim() if "persistentvolumeclaim" in message.lower() else None
        if claim:
            yield claim
        elif not (self.pod.get("status") or {}).get("nominatedNodeName"):
            yield finding(self.pod, "unschedulable", message, self._patience_for_a_node())

    def _unbound_claim(self) -> Finding | None:
        for claim in self.claims:
            if pods.uses_claim(self.pod, claim) and (claim.get("status") or {}).get("phase") != "Bound":
                return claim_finding(claim, self.events, self.limits, awaited=True)
        return None

    def _patience_for_a_node(self) -> float:
        reason = self.events.last(self.uid, "TriggeredScaleUp", "NotTriggerScaleUp").get("reason")
        if reason == "TriggeredScaleUp":
            return self.limits.scale_up
        return 0.0 if reason == "NotTriggerScaleUp" else self.limits.schedule

    def _volumes_and_sandbox(self) -> Iterator[Finding]:
        if not pods.is_starting(self.pod):
            return
        mount = self.events.last(self.uid, "FailedMount", "FailedAttachVolume")
        message = str(mount.get("message") or "")
        if mount and _NO_SOURCE.search(message):
            yield finding(self.pod, "config_missing", message, self.limits.config)
        elif mount:
            yield finding(self.pod, "mount_failed", message, self.limits.mount)
        sandbox = self.events.last(self.uid, "FailedCreatePodSandBox")
        if sandbox:
            tries = self.events.count(self.uid, "FailedCreatePodSandBox")
            enough = tries >= self.limits.sandbox_failures
            yield finding(self.pod, "sandbox_failed", str(sandbox["message"]), 0.0 if enough else self.limits.mount)

    def _image(self, status: dict[str, Any]) -> Iterator[Finding]:
        waiting, name = pods.state_of(status, "waiting"), status["name"]
        reason, message = waiting.get("reason"), str(waiting.get("message") or "")
        if reason == "InvalidImageName":
            yield finding(self.pod, "image_name_invalid", message, self.limits.image_name, container=name)
        elif reason == "ErrImageNeverPull":
            yield finding(self.pod, "image_never_pull", message, self.limits.image_name, container=name)
        elif reason in _PULLS:
            failed = [row["message"] for row in self.events.of(self.uid, "Failed", container=name)]
            failed = [text for text in failed if text.startswith("Failed to pull image")]
            text = failed[-1] if failed else message
            code = pull_code(text)
            yield finding(self.pod, code, text, self._patience_for_a_pull(code, name), container=name)

    def _patience_for_a_pull(self, code: str, container: str) -> float:
        if code == "image_registry_unknown":
            return self.limits.image_registry
        if code != "image_unreachable":
            return 0.0
        tries = self.events.count(self.uid, "Failed", container=container, text="Failed to pull image")
        return 0.0 if tries >= self.limits.image_tries else _SILENT_PULL_S

    def _start(self, status: dict[str, Any]) -> Iterator[Finding]:
        waiting, name, end = pods.state_of(status, "waiting"), status["name"], pods.last_end(status)
        reason = waiting.get("reason")
        if reason == "CreateContainerConfigError":
            yield finding(self.pod, "config_missing", str(waiting.get("message")), self.limits.config, container=name)
        elif reason in _STARTS or end.get("reason") in _NOT_STARTED:
            message = str(end.get("message") or waiting.get("message") or reason)
            tries = max(pods.exits(status), self.events.count(self.uid, "Failed", container=name, text="Error: "))
            enough = tries >= self.limits.start_failures
            yield finding(self.pod, "container_start_failed", message, 0.0 if enough else NEVER, container=name)

    def _ends(self, status: dict[str, Any]) -> Iterator[Finding]:
        name, end, key = status["name"], pods.last_end(status), (self.uid, status["name"])
        if not end or end.get("reason") in _NOT_STARTED:
            return
        if end.get("exitCode") == 0 and pods.runs_once(self.pod, name):
            return
        kills = probe_kills(self.uid, name, self.events)[self.earlier.kills.get(key, 0) :]
        count = pods.exits(status) - self.earlier.exits.get(key, 0)
        if str(end.get("containerID")) not in self.earlier.ends and self._out_of_memory(end, bool(kills)):
            yield finding(self.pod, "oom_killed", self._memory_message(name), container=name)
        elif kills:
            unhealthy = self.events.last(self.uid, "Unhealthy", container=name).get("message") or ""
            enough = len(kills) >= self.limits.probe_kills
            message = f"{kills[-1]['message']}. {unhealthy}".strip()
            yield finding(self.pod, "probe_killed", message, 0.0 if enough else NEVER, container=name)
        elif count > 0:
            looping = pods.state_of(status, "waiting").get("reason") == "CrashLoopBackOff"
            enough = looping or count >= self.limits.exits
            message = _end_message(name, count, end)
            yield finding(self.pod, "crash_loop", message, 0.0 if enough else NEVER, container=name)

    @staticmethod
    def _out_of_memory(end: dict[str, Any], killed_by_probe: bool) -> bool:
        return end.get("reason") == "OOMKilled" or (end.get("exitCode") == _SIGKILL and not killed_by_probe)

    def _memory_message(self, container: str) -> str:
        resources = pods.container_specs(self.pod)[container].get("resources") or {}
        limit = (resources.get("limits") or {}).get("memory")
        return f"Container {container} was killed for its memory; its limit is {limit or 'not set'}."

    def _readiness(self) -> Iterator[Finding]:
        statuses = (self.pod.get("status") or {}).get("containerStatuses") or []
        closed = pods.gates_missing(self.pod)
        if closed and pods.is_true(self.pod, "ContainersReady"):
            known = pods.condition(self.pod, closed[0])
            code = "gate_closed" if known else "gate_unknown"
            reason = known.get("message") or known.get("reason") or "no controller has set it"
            yield finding(self.pod, code, f"Readiness gate {closed[0]} is not True: {reason}.", self.limits.gate)
        elif statuses and not pods.is_ready(self.pod) and all(pods.state_of(row, "running") for row in statuses):
            slow = next((row["name"] for row in statuses if not row.get("ready")), statuses[0]["name"])
            seen = self.events.last(self.uid, "Unhealthy", container=slow).get("message")
            allowance = pods.ready_allowance(self.pod) * self.limits.ready_factor
            message = f"Not Ready within {allowance:.0f} s. {seen or ''}".strip()
            yield finding(self.pod, "never_ready", message, allowance, container=slow)


def _end_message(container: str, count: int, end: dict[str, Any]) -> str:
    times = "once" if count == 1 else f"{count} times"
    reason = f" ({end['reason']})" if end.get("reason") else ""
    said = f": {end['message'].strip()}" if end.get("message") else "."
    return f"Container {container} ended {times}, last with exit code {end.get('exitCode')}{reason}{said}"
