# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the fail-fast table that a healthy test cluster does not show by itself."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import CLASSES, HINTS
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_workload import refusal_code
from tests.unit.kube_track.scenes import (
    Object,
    deployment,
    event,
    judge,
    look,
    owner,
    pod,
    recorded,
    replica_set,
    scene,
    with_container,
)


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """A container that waits."""
    return {"ready": False, "state": {"waiting": {"reason": reason, "message": message}}}


def ended(exit_code: int, reason: str = "Error", restarts: int = 0, container_id: str = "c1") -> dict[str, Any]:
    """A container that has just ended."""
    state = {"exitCode": exit_code, "reason": reason, "containerID": container_id}
    return {"ready": False, "restartCount": restarts, "state": {"terminated": state}}


def unready(**fields: Any) -> Object:
    """A pod that is not Ready."""
    return pod(ready=False, **fields)


def codes_after(seconds: float, seen: Any, **options: Any) -> str | None:
    """The cause's code after looks each second for so long."""
    one = judge(**options)
    cause = None
    for now in range(int(seconds) + 1):
        cause = cause or look(one, seen, now).cause
    return cause.code if cause else None


def test_every_code_has_a_class_and_a_hint() -> None:
    assert CLASSES.keys() == HINTS.keys()


def test_image_not_found_is_terminal_at_once() -> None:
    broken = with_container(unready(), **waiting("ErrImagePull", 'image "example.org/app:1": not found'))
    cause = look(judge(), scene(deployment(), broken)).cause
    assert cause is not None
    assert (cause.code, cause.cause_class, cause.container) == ("image_not_found", "R", "app")


def test_unreachable_registry_has_three_tries() -> None:
    broken = with_container(unready(), **waiting("ImagePullBackOff", "Back-off pulling image"))
    text = 'Failed to pull image "x": dial tcp 10.0.0.1:443: i/o timeout'
    for count, expected in ((2, None), (3, "image_unreachable")):
        failed = event("pod-1", "Failed", text, count, "app")
        assert codes_after(40, scene(deployment(), broken, events=(failed,))) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [(None, "unschedulable"), ("TriggeredScaleUp", None), ("NotTriggerScaleUp", "unschedulable")],
)
def test_autoscaler_has_a_say(reason: str | None, expected: str | None) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes available"}
    pending = unready(phase="Pending", conditions=[condition], containerStatuses=[])
    events = (event("pod-1", reason),) if reason else ()
    assert codes_after(20, scene(deployment(), pending, events=events)) == expected
    if reason == "NotTriggerScaleUp":
        assert codes_after(0, scene(deployment(), pending, events=events)) == expected


def test_gates() -> None:
    for name, status, reason, expected in (
        ("example.org/lb", "False", "Unhealthy", "gate_closed"),
        ("cloud.google.com/load-balancer-neg-ready", "True", "LoadBalancerNegTimeout", "gate_closed"),
        ("cloud.google.com/load-balancer-neg-ready", "True", "LoadBalancerNegReady", None),
    ):
        gated = pod()
        gated["spec"]["readinessGates"] = [{"conditionType": name}]
        gated["status"]["conditions"].append({"type": name, "status": status, "reason": reason})
        assert codes_after(121, scene(deployment(), gated)) == expected
        assert look(judge(), scene(deployment(), gated)).ready is (expected is None)


def test_mounts_and_sandboxes() -> None:
    pending = with_container(unready(phase="Pending"), **waiting("ContainerCreating"))
    attach = event("pod-1", "FailedAttachVolume", "Multi-Attach error for volume")
    assert codes_after(89, scene(deployment(), pending, events=(attach,))) is None
    assert codes_after(90, scene(deployment(), pending, events=(attach,))) == "mount_failed"
    for count, expected in ((2, None), (3, "sandbox_failed")):
        network = event("pod-1", "FailedCreatePodSandBox", "no free address", count)
        assert codes_after(5, scene(deployment(), pending, events=(network,))) == expected


def test_first_exit_is_forgiven_and_the_second_is_not() -> None:
    fresh = scene(deployment(), with_container(unready(), **ended(1)))
    assert codes_after(5, fresh) is None
    assert codes_after(0, scene(deployment(), with_container(unready(), **ended(1, restarts=1)))) == "crash_loop"


def test_exit_137_is_memory_unless_a_probe_killed_it() -> None:
    killed = with_container(unready(), **ended(137))
    assert codes_after(0, scene(deployment(), killed)) == "oom_killed"
    by_probe = event("pod-1", "Killing", "Container app failed liveness probe, will be restarted", 1, "app")
    assert codes_after(5, scene(deployment(), killed, events=(by_probe,))) is None
    twice = {**by_probe, "count": 2}
    assert codes_after(0, scene(deployment(), killed, events=(twice,))) == "probe_killed"


def test_old_ends_of_a_running_pod_are_not_held_against_it() -> None:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "containerID": "old"}}
    survivor = with_container(pod(), restartCount=5, lastState=last)
    one = judge()
    assert look(one, scene(deployment(), survivor)).ready
    again = with_container(unready(), **ended(1, restarts=5))
    assert look(one, scene(deployment(), again), 1.0).cause is None
    looping = with_container(again, restartCount=6)
    cause = look(one, scene(deployment(), looping), 2.0).cause
    assert cause is not None
    assert cause.code == "crash_loop"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('pods "x" is forbidden: exceeded quota: none, requested: pods=1', "quota_exceeded"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation', "pod_security"),
        (
            'pods "x" is forbidden: error looking up service account shop/a: serviceaccount "a" not found',
            "service_account_missing",
        ),
        ('admission webhook "policy.example.org" denied the request: no', "webhook_refused"),
        (
            'Internal error: failed calling webhook "policy.example.org": context deadline exceeded',
            "webhook_unreachable",
        ),
        ("Pod is invalid: spec.containers: Required value", "pod_create_failed"),
    ],
)
def test_refused_pods(message: str, code: str) -> None:
    assert refusal_code(message) == code
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    empty = deployment(updatedReplicas=0, readyReplicas=0, availableReplicas=0, replicas=0)
    seen = scene(empty, sets=[replica_set(conditions=[condition])])
    limit = 30 if code == "webhook_unreachable" else 6
    assert codes_after(limit - 1, seen) is None
    assert codes_after(limit, seen) == code


def test_quota_waits_for_old_pods_that_are_leaving() -> None:
    message = 'pods "x" is forbidden: exceeded quota: none'
    condition = {"type": "ReplicaFailure", "status": "True", "message": message}
    old = pod("old", "rs-1")
    old["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    sets = [replica_set(conditions=[condition]), replica_set("rs-1", "1")]
    assert codes_after(30, scene(deployment(), old, sets=sets)) is None


def test_healed_refusal_of_a_stateful_set_is_no_finding() -> None:
    queue = {**deployment(replicas=0), "kind": "StatefulSet", "spec": {"replicas": 1}}
    refused = event("dep", "FailedCreate", "exceeded quota", version=1)
    assert codes_after(6, scene(queue, events=(refused,))) == "quota_exceeded"
    created = event("dep", "SuccessfulCreate", version=2)
    assert codes_after(6, scene(queue, events=(refused, created))) is None


def test_one_disruption_is_waited_out_and_several_are_inconclusive() -> None:
    one = judge()
    look(one, scene(deployment()))
    lost = [pod(f"lost-{number}", phase="Failed", reason="Evicted") for number in (1, 2)]
    assert look(one, scene(deployment(), lost[0]), 1).cause is None
    cause = look(one, scene(deployment(), *lost), 2).cause
    assert cause is not None
    assert (cause.code, cause.cause_class) == ("disrupted", "I")
    assert look(judge(), scene(deployment(), pod("new"), *lost)).ready


def test_progress_deadline_is_only_a_backstop() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}
    late = deployment(readyReplicas=0, conditions=[condition])
    assert codes_after(0, scene(late, unready())) == "never_ready"
    assert codes_after(0, scene(late)) == "progress_deadline"


def test_controller_behind() -> None:
    behind = deployment(observedGeneration=1)
    assert codes_after(29, scene(behind, pod())) is None
    assert codes_after(30, scene(behind, pod())) == "controller_behind"


def test_absent_deleted_and_made_anew() -> None:
    assert codes_after(0, None) == "not_found"
    assert codes_after(99, None, missing="wait") is None
    one = judge()
    look(one, scene(deployment(), pod()))
    gone = look(one, None, 1).cause
    other = judge()
    look(other, scene(deployment(), pod()))
    anew = deployment()
    anew["metadata"]["uid"] = "other"
    made = look(other, scene(anew, pod()), 1).cause
    assert gone is not None
    assert made is not None
    assert (gone.code, made.code) == ("deleted", "deleted")


def test_failure_target_comes_before_failed() -> None:
    seen = recorded("job-fails")
    job = copy.deepcopy(seen.obj)
    target = [row for row in job["status"]["conditions"] if row["type"] == "FailureTarget"]
    job["status"]["conditions"] = target
    cause = look(judge(), scene(job)).cause
    assert target
    assert cause is not None
    assert cause.code == "job_backoff_limit"


def test_pod_failure_policy() -> None:
    condition = {"type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": "exit code 42"}
    job = {**deployment(conditions=[condition]), "kind": "Job"}
    assert codes_after(0, scene(job)) == "job_pod_failure_policy"


def test_stateful_set_that_waits_for_a_pod_of_an_older_revision() -> None:
    queue = {**deployment(updateRevision="queue-2", currentRevision="queue-1"), "kind": "StatefulSet"}
    stuck = with_container(
        unready(of="dep"), **waiting("CrashLoopBackOff"), restartCount=3, lastState=ended(1)["state"]
    )
    stuck["metadata"]["labels"] = {"controller-revision-hash": "queue-1"}
    cause = look(judge(), scene(queue, stuck)).cause
    assert cause is not None
    assert cause.code == "statefulset_stuck"
    assert "delete that pod" in cause.advice


def test_claims() -> None:
    def claim(phase: str) -> Object:
        meta = {"uid": "claim", "name": "data", "namespace": "default"}
        return {"kind": "PersistentVolumeClaim", "metadata": meta, "spec": {}, "status": {"phase": phase}}

    resting = event("claim", "WaitForFirstConsumer")
    assert look(judge(), scene(claim("Pending"), events=(resting,))).ready
    user = pod()
    user["spec"]["volumes"] = [{"persistentVolumeClaim": {"claimName": "data"}}]
    assert not look(judge(), scene(claim("Pending"), user, events=(resting,))).ready
    assert codes_after(30, scene(claim("Pending"), user)) == "pvc_pending"
    assert codes_after(0, scene(claim("Lost"))) == "pvc_lost"
    assert look(judge(), scene(claim("Bound"))).ready


def test_blame_before_excuse() -> None:
    unpullable = with_container(unready(uid="a"), **waiting("ErrImagePull", "not found"))
    gone = pod("b", phase="Failed", reason="Evicted")
    gone["metadata"]["ownerReferences"] = owner("rs-2")
    one = judge(limits={"disruptions": 1})
    look(one, scene(deployment(2)))
    cause = look(one, scene(deployment(2), unpullable, gone), 1).cause
    assert cause is not None
    assert cause.code == "image_not_found"
