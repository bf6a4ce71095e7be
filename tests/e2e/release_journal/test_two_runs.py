# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs on one app: refused, frozen, killed. Traffic is moved by the one that holds the lock, and by no other."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call, call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import fenced, stamped
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.modules import kube_apply
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import apply
from tests.e2e.leases import take
from tests.e2e.release_journal.runs import SERVICE, journal, live, playing, service

COLOUR = "golive.cutover/colour"
pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def shop(namespace: str) -> None:
    """Traffic is on blue."""
    apply(objects=[service("blue")], namespace=namespace)


def colour(namespace: str) -> str:
    found: str = live(namespace)["spec"]["selector"][COLOUR]
    return found


def test_a_second_operator_is_refused_at_once_and_may_take_over(namespace: str, tmp_path: Path) -> None:
    with playing(tmp_path, namespace, "first", user="ann") as first:
        first.wait_for("TASK [Hold]")
        with playing(tmp_path, namespace, "second", user="bob") as second:
            output = second.finish()
        assert second.process.returncode == 2
        for told in (
            "locked",
            "ann on ",
            f"process {first.process.pid}",
            "since 20",
            "last renewal",
            "take_over: true",
        ):
            assert told in output, told
        with playing(tmp_path, namespace, "third", user="bob", take_over=True) as third:
            third.wait_for("TASK [Hold]")
            output = first.finish()
            assert first.process.returncode == 2
            assert "lease_lost" in output
            assert colour(namespace) == "blue"
            third.finish()
        assert third.process.returncode == 0
    assert colour(namespace) == "green"


def test_a_frozen_run_is_replaced_and_its_next_write_refused(namespace: str, tmp_path: Path) -> None:
    with playing(tmp_path, namespace, "frozen", duration=6) as first:
        first.wait_for("TASK [Hold]")
        first.send(signal.SIGSTOP)
        start = time.monotonic()
        begun = journal("begin", namespace, objects=[SERVICE])
        # No sooner than its Lease lasted, and no later than that needs.
        assert 5 < time.monotonic() - start < 30
        assert begun["stamped"] == ["Service shop"]
        first.send(signal.SIGCONT)
        output = first.finish()
        assert first.process.returncode == 2
        assert "lease_lost" in output
    assert colour(namespace) == "blue"


def test_a_killed_run_is_replaced_at_once(namespace: str, tmp_path: Path) -> None:
    with playing(tmp_path, namespace, "killed", duration=600) as first:
        first.wait_for("TASK [Hold]")
        below = first.family()[1:]
        os.kill(first.process.pid, signal.SIGKILL)
        start = time.monotonic()
        begun = journal("begin", namespace, objects=[SERVICE])
        assert time.monotonic() - start < 20
        assert begun["resume"]["phase"] == "begin"
        # The worker of the killed one may live on; the token is on the Service before anything else is done.
        assert begun["stamped"] == ["Service shop"]
        for pid in below:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
    assert colour(namespace) == "blue"


def test_a_worker_that_has_not_noticed_is_refused_by_the_server(namespace: str) -> None:
    old = take(namespace)
    apply(objects=[service("blue")], namespace=namespace, lease=old)
    with connected(call_for_tests({})) as client:
        path = client.path_of("v1", "Service", namespace, "shop")
        read = client.get(path)
        new = take(namespace, token=5)
        stamped(client, path, client.get(path), new["token"])

        def write(found: dict[str, object]) -> None:
            body = {**service("green"), "metadata": found["metadata"]}
            client.request("PUT", path, body=body)

        with pytest.raises(GoliveError) as caught:
            # What it read is older than the token of its successor.
            fenced(client, path, read, old["token"], write)
    assert caught.value.code == "lease_lost"
    unaware = call_for_tests({**_options(namespace), "lease": old})
    with pytest.raises(GoliveError) as caught:
        kube_apply.run.__wrapped__(unaware)  # type: ignore[attr-defined]  # the verb without its own look at the Lease
    assert caught.value.code == "lease_lost"
    assert colour(namespace) == "blue"


def _options(namespace: str) -> dict[str, object]:
    defaults = {name: row.get("default") for name, row in kube_apply.SPEC["argument_spec"].items()}
    return {**defaults, "objects": [service("green")], "namespace": namespace}


def test_a_verb_at_work_hears_of_it(namespace: str) -> None:
    lease = take(namespace, duration=6)
    ended: list[str] = []

    @under_lease
    def verb(call: Call) -> dict[str, object]:
        call.pause(60)
        return {}

    def work() -> None:
        try:
            verb(call_for_tests({"lease": lease}))
        except GoliveError as error:
            ended.append(error.code)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(8)
    # It outlived its duration, because it was renewed.
    assert thread.is_alive()
    take(namespace, token=2)
    thread.join(timeout=20)
    assert ended == ["lease_lost"]


def test_controllers_may_write_between_reading_and_writing(namespace: str) -> None:
    lease = take(namespace)
    stop = threading.Event()

    def annotate() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            kubectl("-n", namespace, "annotate", "service", "shop", f"tests/n={number}", "--overwrite")

    thread = threading.Thread(target=annotate)
    thread.start()
    try:
        for to in ("green", "blue", "green"):
            assert apply(objects=[service(to)], namespace=namespace, lease=lease)["changed"]
            assert colour(namespace) == to
    finally:
        stop.set()
        thread.join()
    assert not apply(objects=[service("green")], namespace=namespace, lease=lease)["changed"]
    assert not apply(objects=[service("green")], namespace=namespace)["changed"]
