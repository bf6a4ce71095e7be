# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other tools call ready and is not: one test for each case."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_judge import Judge
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import Limits
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_patience import Soak, stood
from tests.unit.kube_track.scenes import (
    deployment,
    judge,
    look,
    pod,
    replica_set,
    scene,
    with_container,
)

OLD_SET = replica_set("rs-1", "1")
BOTH = [replica_set(), OLD_SET]


def is_ready(seen: Any, **options: Any) -> bool:
    """Whether one look calls it ready."""
    return look(judge(**options), seen).ready


def test_all_is_well() -> None:
    assert is_ready(scene(deployment(2), pod("a"), pod("b")))


@pytest.mark.parametrize(
    "status",
    [
        {"updatedReplicas": 0},
        {"readyReplicas": 2},
        {"availableReplicas": 2},
        {"replicas": 4},
        {"unavailableReplicas": 1},
        {"observedGeneration": 1},
    ],
)
def test_any_count_that_differs(status: dict[str, int]) -> None:
    assert not is_ready(scene(deployment(3, **status), pod("a"), pod("b"), pod("c")))


def test_paused() -> None:
    paused = deployment()
    paused["spec"]["paused"] = True
    assert not is_ready(scene(paused, pod()))


def test_one_of_three_updated_while_the_old_are_available() -> None:
    pods = [pod("new"), pod("old-1", "rs-1"), pod("old-2", "rs-1")]
    assert not is_ready(scene(deployment(3), *pods, sets=BOTH))


def test_pods_of_the_old_set_are_not_the_new_ones() -> None:
    assert not is_ready(scene(deployment(1), pod("old", "rs-1"), sets=BOTH))


def test_set_with_the_same_labels_of_another_owner() -> None:
    foreign = replica_set("rs-9", "2", of="somebody-else")
    assert not is_ready(scene(deployment(), pod("x", "rs-9"), sets=[foreign]))


def test_pod_with_a_closed_gate() -> None:
    gated = pod()
    gated["spec"]["readinessGates"] = [{"conditionType": "example.org/lb"}]
    gated["status"]["conditions"].append({"type": "example.org/lb", "status": "False"})
    assert not is_ready(scene(deployment(), gated))


def test_pod_with_no_container_statuses() -> None:
    assert not is_ready(scene(deployment(), pod(containerStatuses=[])))


def test_pod_that_is_being_deleted() -> None:
    leaving = pod()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not is_ready(scene(deployment(), leaving))


def test_nothing_to_run_is_not_ready_unless_wanted() -> None:
    empty = deployment(0)
    assert not is_ready(scene(empty))
    assert is_ready(scene(empty), min_count=0)
    nowhere = {**deployment(0, desiredNumberScheduled=0), "kind": "DaemonSet", "spec": {}}
    assert not is_ready(scene(nowhere))


def test_stateful_set_on_delete_keeps_old_pods() -> None:
    queue = {**deployment(updateRevision="queue-2", currentRevision="queue-1"), "kind": "StatefulSet"}
    queue["spec"] = {"replicas": 1, "updateStrategy": {"type": "OnDelete"}}
    old = pod(of="dep")
    old["metadata"]["labels"] = {"controller-revision-hash": "queue-1"}
    seen = look(judge(), scene(queue, old))
    assert not seen.ready
    assert seen.cause is not None
    assert seen.cause.code == "on_delete"


def test_stateful_set_with_a_partition_counts_only_the_new_part() -> None:
    queue = {**deployment(2, updateRevision="queue-2", currentRevision="queue-1"), "kind": "StatefulSet"}
    queue["spec"] = {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}}
    old, new = pod("queue-0", "dep"), pod("queue-1", "dep")
    old["metadata"]["labels"] = {"controller-revision-hash": "queue-1"}
    assert not is_ready(scene(queue, old, new))
    new["metadata"]["labels"] = {"controller-revision-hash": "queue-2"}
    assert is_ready(scene(queue, old, new))


@pytest.mark.parametrize("condition", ["Failed", "FailureTarget", "SuccessCriteriaMet", "Suspended"])
def test_job_is_done_only_when_complete(condition: str) -> None:
    job = {**deployment(conditions=[{"type": condition, "status": "True"}]), "kind": "Job", "spec": {}}
    assert not is_ready(scene(job))
    job["status"]["conditions"] = [{"type": "Complete", "status": "True"}]
    assert is_ready(scene(job))


def test_job_that_works_on_has_arrived_when_its_pod_is_ready() -> None:
    job = {**deployment(), "kind": "Job", "spec": {}}
    assert not look(judge(job_until="ready"), scene(job, pod("one", "dep", ready=False))).ready
    assert look(judge(job_until="ready"), scene(job, pod("one", "dep"))).ready
    assert not look(judge(), scene(job, pod("one", "dep"))).ready


def test_ready_for_one_second_then_restarted() -> None:
    one = judge(soak=10)
    assert not look(one, scene(deployment(), pod()), 0).ready
    restarted = with_container(pod(), restartCount=1)
    assert not look(one, scene(deployment(), restarted), 9.9).ready
    assert not look(one, scene(deployment(), restarted), 19.8).ready
    assert look(one, scene(deployment(), restarted), 19.9).ready


def test_flapping_readiness_starts_the_soak_anew() -> None:
    one = judge(soak=10)
    for now in range(0, 60, 5):
        seen = scene(deployment(), pod(ready=now % 10 == 0))
        assert not look(one, seen, now).ready


def test_only_a_pod_that_is_ready_for_long_is_settled_at_once() -> None:
    for second, expected in ((39, False), (40, True)):
        clock = datetime(2026, 1, 1, 0, 0, second, tzinfo=timezone.utc)
        one = Judge(Limits(), Soak(10, clock))
        assert look(one, scene(deployment(), pod())).ready is expected


def test_a_pod_seen_before_has_stood_since_then() -> None:
    ready = pod()
    row = {
        "uid": ready["metadata"]["uid"],
        "ready_since": pods.condition(ready, "Ready").get("lastTransitionTime"),
        "restarts": 0,
    }
    before = stood({"pods": [row], "since": 993.0}, wall=1000.0)
    one = Judge(Limits(), Soak(10, None, before))
    assert not look(one, scene(deployment(), ready), 2.9).ready
    assert look(one, scene(deployment(), ready), 3.0).ready
    for change in ({"restarts": 1}, {"uid": "another"}, {"ready_since": "2026-01-01T00:00:59Z"}):
        other = Judge(Limits(), Soak(10, None, stood({"pods": [{**row, **change}], "since": 993.0}, wall=1000.0)))
        assert not look(other, scene(deployment(), ready), 3.0).ready
        assert look(other, scene(deployment(), ready), 13.0).ready


def test_a_clock_that_was_set_back_shortens_nothing() -> None:
    row = {"uid": "pod-1", "ready_since": "x", "restarts": 0}
    assert stood({"pods": [row], "since": 1060.0}, wall=1000.0) == {("pod-1", "x", 0): 0.0}
    assert stood(None, wall=1000.0) == {}
    with pytest.raises(GoliveError, match=r"seen\.pods lacks ready_since"):
        stood({"pods": [{"uid": "x", "restarts": 0}], "since": 1.0}, wall=2.0)
