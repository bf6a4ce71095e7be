# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop around the judge, against an API that fails in ways a healthy one does not."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._kube.track import failure_of, track
from tests.unit.kube_track.scenes import Object, deployment, pod, replica_set

SHOP = [{"kind": "Deployment", "name": "shop", "namespace": "default"}]


class FailingApi:
    """Lists and watches held in memory; ``refuse`` maps a collection to the error its list raises."""

    def __init__(self, **collections: list[Object]) -> None:
        self.collections = collections
        self.refuse: dict[str, GoliveError] = {}
        self.lists: list[str] = []
        self._watches: list[tuple[str, queue.Queue[Object | None]]] = []

    def server_time(self) -> datetime | None:
        return None

    def request(self, method: str, path: str, **_others: Any) -> Object:
        plural = path.rpartition("/")[2]
        self.lists.append(plural)
        if plural in self.refuse:
            raise self.refuse[plural]
        return {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": self.collections.get(plural, [])}

    @contextmanager
    def stream(self, path: str, query: Mapping[str, Any], quiet_s: float) -> Iterator[Any]:
        events: queue.Queue[Object | None] = queue.Queue()
        self._watches.append((path.rpartition("/")[2], events))
        yield _Answer(events)

    def send(self, plural: str, kind: str, obj: Object) -> None:
        """Send a watch event to whoever watches that collection."""
        for watched, events in list(self._watches):
            if watched == plural:
                events.put({"type": kind, "object": obj})

    def text(self, path: str, query: Mapping[str, Any], **_others: Any) -> str:
        return "the last words\n"


class _Answer:
    def __init__(self, events: queue.Queue[Object | None]) -> None:
        self._events = events

    def stream(self, amt: int | None, decode_content: bool) -> Iterator[bytes]:
        while True:
            event = self._events.get()
            if event is None:
                return
            yield json.dumps(event).encode() + b"\n"

    def shutdown(self) -> None:
        self._events.put(None)


def api(*pods: Object) -> FailingApi:
    """One Deployment with its ReplicaSet and these pods."""
    named = {**deployment()}
    for obj in (named, *pods):
        obj["metadata"]["resourceVersion"] = "1"
    return FailingApi(deployments=[named], replicasets=[replica_set()], pods=list(pods))


def follow(client: Any, **options: Any) -> dict[str, Any]:
    """Track the shop with no soak."""
    call = call_for_tests({}, check_mode=options.pop("check", False), **options.pop("call", {}))
    return track(call, client, SHOP, **{"soak": 0, "timeout": 5, **options})


def test_success_and_its_shape() -> None:
    result = follow(api(pod()))
    assert (result["verdict"], result["cause"]) == ("success", None)
    assert result["objects"] == [{**SHOP[0], "ready": True, "have": 1, "want": 1, "detail": "ready"}]
    assert [row["name"] for row in result["pods"]] == ["pod-1"]
    assert failure_of(result) is None


def test_watch_event_brings_success() -> None:
    client = api(pod(ready=False))
    later = threading.Timer(
        0.5, client.send, ("pods", "MODIFIED", {**pod(), "metadata": {**pod()["metadata"], "resourceVersion": "2"}})
    )
    later.start()
    assert follow(client)["verdict"] == "success"


def test_timeout_tells_what_was_seen_last() -> None:
    result = follow(api(pod(ready=False)), timeout=1)
    failure = failure_of(result)
    assert result["verdict"] == "timeout"
    assert "never_ready" in result["cause"]["message"]
    assert result["cause"]["logs"] == ["the last words"]
    assert failure is not None
    assert (failure.code, failure.details["verdict"]) == ("timeout", "timeout")


def test_logs_and_messages_hide_secrets() -> None:
    result = follow(api(pod(ready=False)), timeout=0.5, call={"secrets": frozenset({"last words"})})
    assert result["cause"]["logs"] == ["the ********"]


def test_check_mode_looks_once() -> None:
    assert follow(api(pod(ready=False)), check=True, timeout=60)["verdict"] == "pending"
    assert follow(api(pod()), check=True, soak=60)["verdict"] == "success"


def test_gone_watch_lists_again() -> None:
    client = api(pod(ready=False))

    def expire() -> None:
        client.collections["pods"] = [pod()]
        client.send("pods", "ERROR", {"code": 410, "message": "too old resource version", "metadata": {}})

    later = threading.Timer(0.5, expire)
    later.start()
    assert follow(client)["verdict"] == "success"
    assert client.lists.count("pods") == 2


def test_silent_api_is_inconclusive() -> None:
    client = api(pod(ready=False))

    def fail() -> None:
        client.refuse["pods"] = GoliveError("unreachable", "No answer from the API server.")
        client.send("pods", "ERROR", {"code": 410, "message": "gone", "metadata": {}})

    later = threading.Timer(0.3, fail)
    later.start()
    result = follow(client, timeout=20, limits={"api": 1.0})
    assert (result["verdict"], result["cause"]["code"], result["cause"]["class"]) == (
        "inconclusive",
        "api_unreachable",
        "I",
    )


def test_no_right_to_the_pods_is_an_error() -> None:
    client = api()
    client.refuse["pods"] = GoliveError("forbidden", "Reading pods was refused.")
    with pytest.raises(GoliveError) as caught:
        follow(client)
    assert caught.value.code == "forbidden"


def test_no_right_to_the_events_is_a_warning() -> None:
    client = api(pod())
    client.refuse["events"] = GoliveError("forbidden", "Reading events was refused.")
    warnings: list[str] = []
    assert follow(client, call={"warn": warnings.append})["verdict"] == "success"
    assert "Event" in warnings[0]


def test_interruption_ends_the_threads() -> None:
    before = threading.active_count()

    def alive() -> None:
        raise Interrupted("cancelled")

    with pytest.raises(Interrupted):
        follow(api(pod(ready=False)), call={"alive": alive})
    assert threading.active_count() == before


def test_nothing_to_track_is_refused() -> None:
    with pytest.raises(GoliveError) as caught:
        track(call_for_tests({}), api(), [])
    assert caught.value.code == "bad_request"


def test_progress_names_the_pod_that_waits() -> None:
    lines: list[str] = []
    follow(api(pod(ready=False)), timeout=0.5, call={"show": lambda text, done, total: lines.append(text)})
    assert lines[0] == "0/1 ready; pod-1: not ready"
