# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests: what is retried, what is not, and how a cluster is found."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._kube import client as module
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from tests.unit.kube.fault_server import RESET, Script

OK = (200, {"ok": True})


@pytest.mark.parametrize(
    "trouble",
    [(429, {"message": "slow down"}), (500, {"message": "etcdserver: leader changed"}), (503, b"no"), RESET],
    ids=["429", "500", "503", "reset"],
)
def test_trouble_that_passes_is_retried(client: Client, script: Script, trouble: Any) -> None:
    script.on("/x", trouble, trouble, OK)
    assert client.get("/x") == {"ok": True}
    assert len(script.asked) == 3


def test_retry_after_is_obeyed(client: Client, script: Script, pauses: list[float]) -> None:
    script.on("/x", (429, {}, {"Retry-After": "3"}), OK)
    client.get("/x")
    assert pauses == [3.0]


def test_without_retry_after_the_waits_grow_and_stay_bounded(
    client: Client, script: Script, pauses: list[float]
) -> None:
    script.on("/x", (500, {"message": "down"}))
    with pytest.raises(GoliveError) as failure:
        client.get("/x")
    assert failure.value.code == "server_error"
    assert "down" in failure.value.message
    assert len(pauses) == 5
    assert pauses[0] < pauses[-1] <= 10
    assert sum(pauses) < 30


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_not_retried(client: Client, script: Script, status: int) -> None:
    script.on("/x", (status, {"message": "no"}))
    with pytest.raises(GoliveError, match="no"):
        client.get("/x")
    assert len(script.asked) == 1


def test_a_wrong_field_is_not_retried_although_the_server_says_500(client: Client, script: Script) -> None:
    message = "failed to create typed patch object (a/b; /v1, Kind=ConfigMap): .datta: field not declared in schema"
    script.on("/x", (500, {"message": message}))
    with pytest.raises(GoliveError) as failure:
        client.request("PATCH", "/x", body={})
    assert failure.value.code == "unknown_field"
    assert len(script.asked) == 1


def test_a_guarded_write_is_sent_once(client: Client, script: Script) -> None:
    script.on("/x", RESET)
    with pytest.raises(GoliveError) as failure:
        client.request("PATCH", "/x", body={}, retry=False)
    assert failure.value.code == "unreachable"
    assert len(script.asked) == 1


def test_a_cancelled_run_sends_nothing(script: Script) -> None:
    def stop() -> None:
        raise Interrupted("cancelled")

    call = call_for_tests({"host": script.url, "validate_certs": True}, alive=stop)
    with connected(call) as client, pytest.raises(Interrupted):
        client.get("/x")
    assert script.asked == []


def _page(names: list[str], token: str = "", remaining: int | None = None) -> tuple[int, dict[str, Any]]:
    meta = {"continue": token, "remainingItemCount": remaining, "resourceVersion": "1"}
    items = [{"metadata": {"name": name}} for name in names]
    return 200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": meta, "items": items}


def test_a_list_is_read_to_its_end_with_kinds(client: Client, script: Script) -> None:
    script.on("/x", _page(["a"], "next"), _page(["b"]))
    found = client.list("/x", {"labelSelector": "a=b"})
    assert [(row["kind"], row["apiVersion"], row["metadata"]["name"]) for row in found] == [
        ("ConfigMap", "v1", "a"),
        ("ConfigMap", "v1", "b"),
    ]
    assert script.asked[1][2] == {"labelSelector": "a=b", "limit": "500", "continue": "next"}


def test_a_list_that_is_too_long_is_given_up_at_its_first_page(client: Client, script: Script) -> None:
    script.on("/x", _page(["a"], "next", 5000))
    assert client.list("/x", most=500) is None
    assert len(script.asked) == 1


def test_an_empty_list_may_have_null_items(client: Client, script: Script) -> None:
    script.on("/x", (200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {}, "items": None}))
    assert client.list("/x") == []


def test_kinds_come_from_discovery(client: Client, script: Script) -> None:
    rows = [
        {"kind": "Deployment", "name": "deployments", "namespaced": True},
        {"kind": "Scale", "name": "deployments/scale", "namespaced": True},
    ]
    script.on("/apis/apps/v1", (200, {"resources": rows}))
    assert client.path_of("apps/v1", "Deployment", "shop", "web") == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert client.path_of("apps/v1", "Deployment") == "/apis/apps/v1/deployments"
    assert client.known("apps/v1", "Scale") is None
    with pytest.raises(GoliveError) as failure:
        client.path_of("apps/v1", "Deploymint", "shop")
    assert failure.value.code == "kind_unknown"


def test_results_of_map_keep_their_order(client: Client) -> None:
    assert client.map(lambda number: number * number, range(50), 4) == [number * number for number in range(50)]


def test_after_an_error_map_begins_nothing_more(client: Client) -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise GoliveError("x", "first")
        threading.Event().wait(0.3)

    with pytest.raises(GoliveError, match="first"):
        client.map(work, range(100), 2)
    assert len(begun) < 20


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: main
contexts: [{{name: main, context: {{cluster: main, user: main}}}}]
clusters: [{{name: main, cluster: {{server: "{server}"}}}}]
users: [{{name: main, user: {{token: secret-token}}}}]
"""


def test_kubeconfig_of_the_environment_is_read_at_call_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(KUBECONFIG.format(server="https://one.example:6443"))
    monkeypatch.setenv("KUBECONFIG", str(file))
    with connected(call_for_tests({"validate_certs": True})) as client:
        assert client.host == "https://one.example:6443"


def test_the_option_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(KUBECONFIG.format(server=f"https://{name}.example"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "one"))
    with connected(call_for_tests({"kubeconfig": str(tmp_path / "two"), "validate_certs": True})) as client:
        assert client.host == "https://two.example"


@pytest.mark.parametrize(
    ("params", "code"),
    [({}, "kubeconfig_missing"), ({"kubeconfig": "/nonexistent/config"}, "kubeconfig_invalid")],
    ids=["none", "named"],
)
def test_no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], code: str) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(GoliveError) as failure, connected(call_for_tests({**params, "validate_certs": True})):
        pass
    assert failure.value.code == code
    assert failure.value.hint


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "clusters: 5\n"])
def test_a_kubeconfig_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    params = {"kubeconfig": str(file), "validate_certs": True}
    with pytest.raises(GoliveError) as failure, connected(call_for_tests(params)):
        pass
    assert failure.value.code == "kubeconfig_invalid"


def test_an_unknown_context_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(KUBECONFIG.format(server="https://one.example"))
    params = {"kubeconfig": str(file), "context": "prod", "validate_certs": True}
    with pytest.raises(GoliveError, match="prod"), connected(call_for_tests(params)):
        pass


def test_a_missing_library_is_an_error_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "kubernetes", None)
    with pytest.raises(GoliveError) as failure, connected(call_for_tests({})):
        pass
    assert failure.value.code == "library_missing"


def test_the_token_is_sent_and_never_told(client: Client, script: Script) -> None:
    script.on("/x", (401, {"message": "Unauthorized"}))
    with pytest.raises(GoliveError) as failure:
        client.get("/x")
    assert failure.value.code == "unauthorized"
    assert "token-of-the-test" not in f"{failure.value}{failure.value.details}"


def test_work_is_done_again_while_the_server_drops_it(client: Client) -> None:
    failures = [GoliveError(code, "dropped") for code in ("unreachable", "server_error")]

    def work() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert client.retried(work) == "done"


@pytest.mark.parametrize(("code", "times"), [("unreachable", 4), ("forbidden", 1)])
def test_work_that_cannot_be_done_ends(client: Client, code: str, times: int) -> None:
    done = []

    def work() -> None:
        done.append(code)
        raise GoliveError(code, "dropped")

    with pytest.raises(GoliveError) as failure:
        client.retried(work)
    assert (failure.value.code, len(done)) == (code, times)
