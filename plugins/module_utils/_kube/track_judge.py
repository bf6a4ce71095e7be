# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen in one look to a verdict: pure, so that recorded objects can test it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import NEVER, Finding, finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_pod import Earlier, PodLook
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_workload import workload_findings
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import Limits
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_patience import Patience, Soak
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_ready import COMPLETE, Readiness, readiness
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import Scene
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import Target, absent

_ORDER = "RCKI"
_BACKSTOP = "progress_deadline"
_ORDERED_HINT = "If you revert the pod template, then delete that pod too: its controller waits for it."
_SOAKED = ("Deployment", "StatefulSet", "DaemonSet", "Pod")


@dataclass(frozen=True)
class Seen:
    """What one look says. ``cause`` ends the tracking; ``pending`` are troubles that have not lasted long enough."""

    states: Mapping[Target, Readiness]
    cause: Finding | None
    pending: list[Finding]

    @property
    def ready(self) -> bool:
        """Whether every object has arrived."""
        return all(row.ready for row in self.states.values())


@dataclass
class Judge:
    """Judges look after look. ``missing`` is ``fail`` or ``wait``; times are monotonic seconds."""

    limits: Limits
    soak: Soak
    missing: str = "fail"
    min_count: int = 1
    job_until: str = COMPLETE
    _patience: Patience = field(default_factory=Patience)
    _earlier: Earlier = field(default_factory=Earlier)
    _uids: dict[Target, str] = field(default_factory=dict)
    _taken: dict[str, set[str]] = field(default_factory=dict)

    def look(self, scenes: Mapping[Target, Scene | None], now: float) -> Seen:
        """Judge all objects as they are at ``now``."""
        found = [row for target, scene in scenes.items() for row in self._findings(target, scene)]
        due = self._patience.due(found, now)
        states = {target: self._state(scene, now) for target, scene in scenes.items()}
        return Seen(states, _worst(due, found), [row for row in found if row not in due])

    def _state(self, scene: Scene | None, now: float) -> Readiness:
        if scene is None:
            return Readiness(False, 0, 1, "does not exist")
        state = readiness(scene, self.min_count, self.job_until)
        if scene.kind not in _SOAKED:
            return state
        left = 0.0
        for pod in scene.pods:
            if pods.is_ready(pod):
                left = max(left, self.soak.left(pod, now))
            else:
                self.soak.forget(pod)
        if state.ready and left > 0:
            return replace(state, ready=False, detail=f"Ready, must stay so for {left:.0f} s")
        return state

    def _findings(self, target: Target, scene: Scene | None) -> Iterator[Finding]:
        before = self._uids.get(target)
        if scene is None:
            if before:
                yield finding(absent(target), "deleted", "The object was deleted while it was tracked.")
            elif self.missing == "fail":
                yield finding(absent(target), "not_found", "The object does not exist.")
            return
        if before and before != scene.uid:
            yield finding(scene.obj, "deleted", "The object was deleted and made anew while it was tracked.")
        self._uids[target] = scene.uid
        yield from workload_findings(scene, self.limits, self.min_count)
        yield from self._disruptions(scene)
        if scene.kind != "PersistentVolumeClaim":
            yield from self._pods(scene)

    def _pods(self, scene: Scene) -> Iterator[Finding]:
        ordered = scene.kind == "StatefulSet" and scene.spec.get("podManagementPolicy") != "Parallel"
        for pod in scene.pods:
            for row in self._of_pod(scene, pod):
                yield replace(row, hint=f"{row.advice} {_ORDERED_HINT}") if ordered else row
        for pod in scene.former if ordered else ():
            if not pods.is_deleting(pod):
                for row in self._of_pod(scene, pod):
                    message = f"The pod of an older revision blocks the rollout ({row.code}): {row.message}"
                    yield replace(row, code="statefulset_stuck", message=message, hint="")

    def _of_pod(self, scene: Scene, pod: dict[str, Any]) -> Iterator[Finding]:
        self._earlier.note(pod, scene.events)
        one_shot = scene.kind == "Job"
        yield from PodLook(pod, scene.events, self.limits, self._earlier, scene.claims, one_shot).findings()

    def _disruptions(self, scene: Scene) -> Iterator[Finding]:
        """One pod taken away is replaced by its controller; several mean that the cluster is not calm."""
        if scene.kind == "Job":
            return
        lost = [pod for pod in [*scene.pods, *scene.former] if pods.is_disrupted(pod)]
        first = scene.uid not in self._taken
        known = self._taken.setdefault(scene.uid, set())
        if first and scene.kind != "Pod":
            known |= {pod["metadata"]["uid"] for pod in lost}
        new = [pod for pod in lost if pod["metadata"]["uid"] not in known]
        if new:
            status = new[-1].get("status") or {}
            reason = status.get("message") or pods.condition(new[-1], "DisruptionTarget").get("message") or "taken away"
            enough = len(new) >= self.limits.disruptions or scene.kind == "Pod"
            yield finding(new[-1], "disrupted", str(reason), 0.0 if enough else NEVER)


def _worst(due: list[Finding], found: list[Finding]) -> Finding | None:
    """The cause among what is due; the Deployment's own deadline only ends the wait for a better explanation."""
    if not due:
        return None
    explained = [row for row in due if row.code != _BACKSTOP] or [row for row in found if row.code != _BACKSTOP] or due
    return min(explained, key=lambda row: _ORDER.index(row.cause_class))
