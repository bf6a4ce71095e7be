# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drain the old colour by measurement, then shrink it one pod at a time; reference 2.3, R7.

Live traffic is not touched: what goes wrong here leaves the rest of the old colour up and is told as a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import JSON_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import selector_text
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drain_record import DrainRecord
from ansible_collections.golive.cutover.plugins.module_utils._traffic.open_work import Counter, Work
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import pointer
from ansible_collections.golive.cutover.plugins.module_utils._traffic.settle_wish import NONE, SettleWish
from ansible_collections.golive.cutover.plugins.module_utils._traffic.sizing import SIZE_MANAGER, scale, size_of

COST = "controller.kubernetes.io/pod-deletion-cost"
_CHEAPER = 100
_LEAST_COST = -(2**31)
_GRACE_S = 30
_BEYOND_GRACE_S = 60.0
_LOOK_S = 0.5


class Settle:
    """The end of one colour. ``still_left`` raises GoliveError when traffic may be on the colour again."""

    def __init__(
        self,
        call: Call,
        client: Client,
        deployment: Mapping[str, Any],
        wish: SettleWish,
        balancer_s: float,
        token: str | None,
        still_left: Callable[[], None],
    ) -> None:
        self._call = call
        self._client = client
        self._meta = deployment["metadata"]
        self._path = client.path_of("apps/v1", "Deployment", self._meta["namespace"], self._meta["name"])
        self._labels = selector_text(deployment["spec"]["selector"].get("matchLabels") or {})
        self._wish = wish
        self._balancer_s = balancer_s
        self._token = token
        self._still_left = still_left
        self.record = DrainRecord(call.now, size_of(deployment), wish)

    def run(self) -> dict[str, Any]:
        """What was drained and removed. Raises only GoliveError ``lease_lost``; other failures become a warning."""
        if self.record.size <= self._wish.replicas:
            return self.record.as_dict()
        how = (self._wish.count, self._wish.metric, self._wish.sockets)
        try:
            with Counter(self._client, self._meta["namespace"], *how) as counter:
                self._nudge(counter)
                self._drain(counter)
                while self.record.size > self._wish.replicas:
                    self._shrink(counter)
        except GoliveError as error:
            if error.code == "lease_lost":
                raise
            self.record.trouble = error.message
            self._call.warn(
                f"The old colour {self._meta['name']} stays at {self.record.size} pods: {error.message}"
                " Live traffic is not affected."
            )
        return self.record.as_dict()

    def _pods(self) -> list[dict[str, Any]]:
        """Every pod of the colour that still exists, also those being deleted."""
        path = self._client.path_of("v1", "Pod", self._meta["namespace"])
        found = self._client.list(path, {"labelSelector": self._labels})
        # Evicted pods stay as a record; a pod that ends is there until its deletion is complete.
        ended = ("Succeeded", "Failed")
        return [pod for pod in found if pods.is_deleting(pod) or (pod.get("status") or {}).get("phase") not in ended]

    def _serving(self) -> list[dict[str, Any]]:
        return [pod for pod in self._pods() if not pods.is_deleting(pod)]

    def _nudge(self, counter: Counter) -> None:
        nudge = self._wish.nudge
        if nudge is None:
            return
        names = [pod["metadata"]["name"] for pod in self._serving()]
        wrong = [text for text in self._client.map(lambda name: counter.nudge(name, nudge), names) if text]
        self.record.nudged = len(names) - len(wrong)
        if wrong:
            self._call.warn(f"Asking pods to end their connections failed: {'; '.join(wrong)}")

    def _drain(self, counter: Counter) -> None:
        """Wait until nothing is open on the colour, at most to the deadline; without counting, for the balancer."""
        limit = max(self._wish.timeout, self._balancer_s)
        if self._wish.count == NONE:
            if self._balancer_s:
                self._call.progress(f"waiting {self._balancer_s:g} s, the drain time of the load balancer")
                self._call.pause(self._balancer_s)
            self.record.drained(limit)
            return

        def look() -> Done[None] | Failed | Pending:
            self._still_left()
            total = self.record.saw(counter.count_all(self._serving()))
            return Pending(f"{total} open on {self._meta['name']}") if total else Done(None)

        try:
            wait_for(self._call, look, what="open work", timeout=limit, interval=_LOOK_S)
        except GoliveError as error:
            if error.code != "timeout":
                raise
            self.record.late = True
        self.record.drained(limit)

    def _shrink(self, counter: Counter) -> None:
        """Take the pod with the least open work away and see it gone."""
        self._still_left()
        there = self._serving()
        work = {} if self._wish.count == NONE else counter.count_all(there)
        self.record.saw(work)
        victim = min(there, key=lambda pod: _worth(pod, work), default=None)
        deployment = self._client.get(self._path)
        size = size_of(deployment)
        if deployment["metadata"]["uid"] != self._meta["uid"] or size > self.record.size or victim is None:
            raise GoliveError("overtaken", f"somebody else changes Deployment {self._meta['name']}.")
        if size <= self._wish.replicas:
            self.record.size = size
            return
        if len(there) > 1:
            self._make_cheapest(victim, there)
        scale(self._call, self._client, deployment, size - 1, self._token)
        self.record.size = size - 1
        self._gone(victim, counter)

    def _make_cheapest(self, victim: Mapping[str, Any], there: list[dict[str, Any]]) -> None:
        """The ReplicaSet controller deletes the Ready pod of lowest cost (KEP-2255)."""
        lowest = min(_cost(pod) for pod in there if pod is not victim)
        if _cost(victim) < lowest:
            return
        meta = victim["metadata"]
        patch: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/uid", "value": meta["uid"]}]
        if not meta.get("annotations"):
            patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
        cost = str(max(_LEAST_COST, lowest - _CHEAPER))
        patch.append({"op": "add", "path": f"/metadata/annotations/{pointer(COST)}", "value": cost})
        self._call.alive()
        path = self._client.path_of("v1", "Pod", meta["namespace"], meta["name"])
        query = {"fieldManager": SIZE_MANAGER}
        self._client.request("PATCH", path, query=query, body=patch, content_type=JSON_PATCH)

    def _gone(self, victim: Mapping[str, Any], counter: Counter) -> None:
        """Wait until the pod's UID is gone and no pod of the colour is terminating any more."""
        grace = float(victim["spec"].get("terminationGracePeriodSeconds", _GRACE_S))
        name = victim["metadata"]["name"]
        began = self._call.now()

        def look() -> Done[None] | Failed | Pending:
            found = self._pods()
            leaving = [pod for pod in found if pods.is_deleting(pod)]
            for pod in leaving:
                self._look_at_the_end(counter, pod)
            if leaving or len(found) > self.record.size:
                return Pending(f"{len(found)} pods, {len(leaving)} of them ending")
            status = self._client.get(self._path).get("status") or {}
            # The field is beta since Kubernetes 1.35; before, the pods being deleted are all there is to see.
            ending = status.get("terminatingReplicas") or 0
            return Pending(f"{ending} pods ending") if ending else Done(None)

        what = f"the end of pod {name}"
        wait_for(self._call, look, what=what, timeout=grace + _BEYOND_GRACE_S, interval=_LOOK_S)
        self.record.removed(name, self._call.now() - began)

    def _look_at_the_end(self, counter: Counter, pod: Mapping[str, Any]) -> None:
        """What is still open on an ending pod; once it answers no more, the last count is what was cut."""
        if self._wish.count == NONE:
            return
        name = pod["metadata"]["name"]
        try:
            self.record.saw({name: counter.count(pod, name)})
        except GoliveError:
            return


def _cost(pod: Mapping[str, Any]) -> int:
    text = str((pod["metadata"].get("annotations") or {}).get(COST) or "0")
    return int(text) if text.lstrip("-").isdigit() else 0


def _worth(pod: Mapping[str, Any], work: Mapping[str, Work]) -> tuple[bool, int, str]:
    """Pods that are not ready go first, as the controller wants it; then those with least open work."""
    name = pod["metadata"]["name"]
    return pods.is_true(dict(pod), "Ready"), work[name].count if name in work else 0, name
