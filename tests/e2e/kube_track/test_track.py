# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Success only where everything has arrived, and what happens to objects while they are tracked."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import kube_track
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.situations import (
    Manifest,
    apply,
    claim,
    container,
    daemon_set,
    deployment,
    job,
    pod_spec,
    probe,
    stateful_set,
)
from tests.e2e.kube_track.verbs import call_verb


def track(namespace: str, kind: str, name: str, **options: Any) -> dict[str, Any]:
    """Track one object with a short soak."""
    given = {"soak": 1, "timeout": 60, **options}
    return call_verb(kube_track, objects=[{"kind": kind, "name": name}], namespace=namespace, **given)


def test_quartet_only_reads(namespace: str) -> None:
    apply(namespace, deployment("shop", pod_spec(container("sleep 1; exec sleep 3600", readinessProbe=probe("true")))))
    checked = track(namespace, "Deployment", "shop", check=True)
    assert checked["verdict"] == "pending"
    assert checked["cause"] is None
    ran = track(namespace, "Deployment", "shop")
    checked_again = track(namespace, "Deployment", "shop", check=True)
    ran_again = track(namespace, "Deployment", "shop")
    assert [row["verdict"] for row in (ran, checked_again, ran_again)] == ["success"] * 3
    assert not any(row["changed"] or row.get("failed") for row in (checked, ran, checked_again, ran_again))
    assert {row.keys() == ran.keys() for row in (checked, checked_again, ran_again)} == {True}


def test_check_mode_does_not_fail_on_what_is_not_there_yet(namespace: str) -> None:
    result = track(namespace, "Deployment", "shop", check=True)
    assert not result.get("failed")
    assert (result["verdict"], result["objects"][0]["detail"]) == ("pending", "does not exist")


def test_every_kind_arrives(namespace: str) -> None:
    objects = [
        deployment("web", replicas=2),
        stateful_set("queue", replicas=2),
        daemon_set("agent"),
        job("once", pod_spec(container("echo done"))),
        claim("data"),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "alone"}, "spec": pod_spec()},
    ]
    apply(namespace, *objects)
    lines: list[str] = []
    rows = [{"kind": obj["kind"], "name": obj["metadata"]["name"]} for obj in objects]
    result = call_verb(
        kube_track,
        objects=rows,
        namespace=namespace,
        soak=1,
        timeout=90,
        call_options={"show": lambda text, done, total: lines.append(text)},
    )
    assert not result.get("failed"), result
    assert [row["ready"] for row in result["objects"]] == [True] * len(objects)
    assert sum(row["ready"] for row in result["pods"]) == 6
    assert any("ready; " in line for line in lines)


def test_soak_is_not_waited_for_again_once_long_ready(namespace: str) -> None:
    apply(namespace, deployment("shop"))
    assert track(namespace, "Deployment", "shop", soak=2)["seconds"] >= 2
    # The pod must have been Ready for soak + 30 s by the server's clock; a soak below that shows the wait by itself.
    assert track(namespace, "Deployment", "shop", soak=2)["seconds"] >= 2


def test_what_was_seen_before_counts(namespace: str) -> None:
    apply(namespace, deployment("shop"))
    first = track(namespace, "Deployment", "shop", soak=2)
    seen = {"pods": first["pods"], "since": first["since"]}
    assert track(namespace, "Deployment", "shop", soak=2, seen=seen)["seconds"] < 2
    restarted = [{**row, "restarts": row["restarts"] + 1} for row in first["pods"]]
    assert track(namespace, "Deployment", "shop", soak=2, seen={**seen, "pods": restarted})["seconds"] >= 2


def test_waits_for_an_object_that_comes_later(namespace: str) -> None:
    later = threading.Timer(2.0, apply, (namespace, deployment("late")))
    later.start()
    result = track(namespace, "Deployment", "late", missing="wait")
    later.join()
    assert result["verdict"] == "success"


def test_deleted_while_waiting(namespace: str) -> None:
    apply(namespace, deployment("shop", pod_spec(container(readinessProbe=probe("false")))))
    killer = threading.Timer(2.0, kubectl, ("-n", namespace, "delete", "deployment", "shop", "--wait=false"))
    killer.start()
    result = track(namespace, "Deployment", "shop")
    killer.join()
    assert result["cause"]["code"] == "deleted"


def test_update_is_not_ready_with_old_pods(namespace: str) -> None:
    apply(namespace, deployment("shop", replicas=2))
    assert track(namespace, "Deployment", "shop")["verdict"] == "success"
    slow = pod_spec(container("sleep 2; touch /tmp/up; exec sleep 3600", readinessProbe=probe("test -e /tmp/up")))
    apply(namespace, deployment("shop", slow, replicas=2))
    result = track(namespace, "Deployment", "shop")
    assert result["verdict"] == "success"
    commands = json.loads(kubectl("-n", namespace, "get", "pods", "-o", "json"))["items"]
    new = {row["metadata"]["uid"] for row in commands if "touch" in row["spec"]["containers"][0]["command"][2]}
    assert {row["uid"] for row in result["pods"]} <= new


def test_failed_update_names_the_new_pod_while_the_old_one_lives(namespace: str) -> None:
    apply(namespace, deployment("shop"))
    assert track(namespace, "Deployment", "shop")["verdict"] == "success"
    apply(namespace, deployment("shop", pod_spec(container("exit 5"))))
    result = track(namespace, "Deployment", "shop", soak=8)
    assert result["cause"]["code"] == "crash_loop"
    assert "exit code 5" in result["cause"]["message"]


def test_on_delete_is_not_ready_with_old_pods(namespace: str) -> None:
    strategy = {"type": "OnDelete"}
    apply(namespace, stateful_set("queue", updateStrategy=strategy))
    assert track(namespace, "StatefulSet", "queue")["verdict"] == "success"
    apply(namespace, stateful_set("queue", pod_spec(container("exec sleep 7200")), updateStrategy=strategy))
    assert track(namespace, "StatefulSet", "queue")["cause"]["code"] == "on_delete"


def test_stateful_set_stuck_on_a_broken_revision(namespace: str) -> None:
    apply(namespace, stateful_set("queue"))
    assert track(namespace, "StatefulSet", "queue")["verdict"] == "success"
    apply(namespace, stateful_set("queue", pod_spec(container("exit 5", readinessProbe=probe("true")))))
    broken = track(namespace, "StatefulSet", "queue")
    assert broken["cause"]["code"] == "crash_loop"
    assert "delete that pod" in broken["cause"]["hint"]
    apply(namespace, stateful_set("queue", pod_spec(container("exec sleep 7200"))))
    assert track(namespace, "StatefulSet", "queue")["cause"]["code"] == "statefulset_stuck"


def _registry_without_the_tag(name: str) -> list[Manifest]:
    """Any HTTP server that answers 404 is a registry without the tag; nodes reach it at their own loopback address."""
    image = f"{os.environ['GOLIVE_IMAGE_PREFIX']}/httpbin:2.26.0"
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "type": "NodePort",
            "selector": {"app.kubernetes.io/name": name},
            "ports": [{"port": 8080, "targetPort": 8080}],
        },
    }
    server = {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent"}
    return [deployment(name, pod_spec(server)), service]


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_image_that_the_registry_does_not_have(namespace: str, kind: str) -> None:
    apply(namespace, *_registry_without_the_tag("registry"))
    assert track(namespace, "Deployment", "registry")["verdict"] == "success"
    port = kubectl("-n", namespace, "get", "service", "registry", "-o", "jsonpath={.spec.ports[0].nodePort}")
    spec = pod_spec(container(image=f"127.0.0.1:{port}/notes:3.0.0-badimage"))
    apply(namespace, deployment("shop", spec) if kind == "Deployment" else job("shop", spec))
    result = track(namespace, kind, "shop")
    assert (result["verdict"], result["cause"]["code"], result["cause"]["class"]) == ("failure", "image_not_found", "R")
    assert result["cause"]["seconds"] <= 10


def test_old_restarts_are_not_held_against_a_pod(namespace: str) -> None:
    apply(
        namespace,
        deployment(
            "shop",
            pod_spec(
                container(
                    "test -e /data/two && exec sleep 3600; "
                    "test -e /data/one && touch /data/two; touch /data/one; exit 1",
                    volumeMounts=[{"name": "data", "mountPath": "/data"}],
                    readinessProbe=probe("test -e /data/two && sleep 0.5"),
                ),
                volumes=[{"name": "data", "emptyDir": {}}],
            ),
        ),
    )
    kubectl("-n", namespace, "wait", "deployment/shop", "--for=condition=Available", "--timeout=90s")
    result = track(namespace, "Deployment", "shop", soak=3)
    assert result["verdict"] == "success"
    assert result["pods"][0]["restarts"] >= 2


def test_no_right_to_read_is_an_error_at_once(namespace: str) -> None:
    kubectl("-n", namespace, "create", "serviceaccount", "stranger")
    token = kubectl("-n", namespace, "create", "token", "stranger").strip()
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    server = config["clusters"][0]["cluster"]["server"]
    result = track(namespace, "Deployment", "shop", host=server, api_key=token, validate_certs=False)
    assert result["code"] == "forbidden"
