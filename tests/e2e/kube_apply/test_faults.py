# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input and an API server in trouble: one clear error, and nothing half-done."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit, actions, apply, config_map, deployment, live
from tests.e2e.kube_apply.fault_proxy import RESET, RESET_AFTER, fault_proxy


def _refused(**params: Any) -> GoliveError:
    with pytest.raises(GoliveError) as failure:
        apply(**params)
    assert failure.value.hint
    return failure.value


def test_a_misspelt_field_stops_everything_before_the_first_write(namespace: str, audit: Audit) -> None:
    wrong = deployment("web")
    wrong["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    error = _refused(objects=[config_map("a"), wrong, {**config_map("b"), "datta": {}}], namespace=namespace)
    assert error.code == "unknown_field"
    assert "imagePullPolice" in error.message
    assert ".datta" in error.message
    assert live(namespace, "configmap", "a") is None
    assert audit.writes(namespace) == []


def test_all_faults_of_a_set_at_once(namespace: str, audit: Audit) -> None:
    unknown = {"apiVersion": "apps/v1", "kind": "Deploymint", "metadata": {"name": "x"}}
    homeless = config_map("h", namespace=f"{namespace}-none")
    content = "kind: ConfigMap\nmetadata: {name: c}\n"
    error = _refused(objects=[config_map("a"), config_map("a"), unknown], content=content, namespace=namespace)
    assert error.code == "many_faults"
    assert [row["code"] for row in error.details["faults"]] == ["object_invalid", "duplicate_object", "kind_unknown"]
    error = _refused(objects=[homeless, {**config_map("b"), "datta": {}}], namespace=namespace)
    assert {row["code"] for row in error.details["faults"]} == {"namespace_not_found", "unknown_field"}
    assert _refused(objects=[config_map("a")]).code == "namespace_missing"
    assert audit.writes(namespace) == []


def test_a_value_of_the_wrong_type_or_refused_by_validation(namespace: str) -> None:
    wrong = deployment("web", replicas="two")
    assert _refused(objects=[wrong], namespace=namespace).code == "invalid"
    mismatch = deployment("web", selector={"matchLabels": {"other": "label"}})
    error = _refused(objects=[mismatch], namespace=namespace)
    assert error.code == "invalid"
    assert "selector" in error.message


@pytest.mark.parametrize("free", [0, 2])
def test_object_quota(namespace: str, audit: Audit, free: int) -> None:
    """With room for two of three each object would pass alone."""
    used = len(json.loads(kubectl("-n", namespace, "get", "configmap", "-o", "json"))["items"])
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few"},
        "spec": {"hard": {"count/configmaps": str(used + free)}},
    }
    apply(objects=[quota], namespace=namespace)
    end = time.monotonic() + 30
    while not (live(namespace, "resourcequota", "few", "status.used") or {}):
        assert time.monotonic() < end
        time.sleep(0.2)
    audit.mark()
    error = _refused(objects=[config_map(name) for name in "abc"], namespace=namespace)
    assert error.code == "quota_exceeded"
    assert "few" in error.message
    assert audit.writes(namespace) == []


def _token(namespace: str, name: str, verbs: str = "") -> str:
    """A service account with ``verbs`` on ConfigMaps, and a token of its own."""
    kubectl("-n", namespace, "create", "serviceaccount", name)
    if verbs:
        kubectl("-n", namespace, "create", "role", name, f"--verb={verbs}", "--resource=configmaps")
        kubectl(
            "-n", namespace, "create", "rolebinding", name, f"--role={name}", f"--serviceaccount={namespace}:{name}"
        )
    return kubectl("-n", namespace, "create", "token", name).strip()


def _server() -> dict[str, Any]:
    view = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    return {"host": view["clusters"][0]["cluster"]["server"], "validate_certs": False}


def test_a_namespace_without_rights(namespace: str) -> None:
    setting = {**_server(), "namespace": namespace}
    error = _refused(**setting, api_key=_token(namespace, "nobody"), objects=[config_map("a"), config_map("b")])
    assert error.code == "forbidden"
    assert "nobody" in error.message
    reader = _token(namespace, "reader", "get,list")
    error = _refused(**setting, api_key=reader, objects=[config_map(name) for name in "abcdef"])
    assert error.code == "forbidden"
    assert "patch" in error.message
    assert live(namespace, "configmap", "a") is None


def test_rights_on_its_own_namespace_are_enough(namespace: str) -> None:
    token = _token(namespace, "owner", "get,list,patch,create,delete")
    setting = {**_server(), "namespace": namespace, "api_key": token}
    objects = [config_map(name) for name in "abcdef"]
    assert set(actions(apply(**setting, objects=objects)).values()) == {"created"}
    assert not apply(**setting, objects=objects)["changed"]
    warnings: list[str] = []
    with pytest.raises(GoliveError):
        apply(**setting, objects=[deployment("web")], warn=warnings.append)
    assert "autoscalers" in warnings[0]


def test_credentials_that_are_not_valid_any_more(namespace: str) -> None:
    token = _token(namespace, "gone")
    kubectl("-n", namespace, "delete", "serviceaccount", "gone")
    end = time.monotonic() + 30
    error = GoliveError("none", "")
    while error.code != "unauthorized" and time.monotonic() < end:
        error = _refused(**_server(), api_key=token, namespace=namespace, objects=[config_map("a")])
    assert error.code == "unauthorized"
    assert token not in str(error)


def test_no_kubeconfig(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    error = _refused(kubeconfig=missing, objects=[config_map("a", namespace="x")])
    assert error.code == "kubeconfig_invalid"
    assert missing in error.message


def test_an_api_server_that_is_down() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    error = _refused(host=f"https://127.0.0.1:{port}", objects=[config_map("a", namespace="x")])
    assert error.code == "unreachable"
    assert f"127.0.0.1:{port}" in error.message
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("trouble", [429, 500, 503, RESET, RESET_AFTER])
def test_trouble_that_passes_is_only_slower(namespace: str, api_proxy: str, trouble: int | str) -> None:
    objects = [config_map(name) for name in "abcdef"]

    def every_fourth(number: int, _method: str, _path: str) -> int | str | None:
        return trouble if number % 4 == 0 else None

    with fault_proxy(api_proxy, every_fourth) as url:
        result = apply(host=url, objects=objects, namespace=namespace)
        assert result["changed"]
        assert len(live(namespace, "configmap", "f", "data")) == 1
        assert not apply(host=url, objects=objects, namespace=namespace)["changed"]


@pytest.mark.parametrize(("trouble", "code"), [(429, "busy"), (500, "server_error")])
def test_trouble_that_stays_ends_before_the_first_write(
    namespace: str, api_proxy: str, trouble: int, code: str
) -> None:
    def every_patch(_number: int, method: str, _path: str) -> int | None:
        return trouble if method == "PATCH" else None

    started = time.monotonic()
    with fault_proxy(api_proxy, every_patch) as url:
        error = _refused(host=url, objects=[config_map("a"), config_map("b")], namespace=namespace)
    assert error.code == code
    assert time.monotonic() - started < 60
    assert live(namespace, "configmap", "a") is None


def test_a_failure_in_the_middle_tells_what_was_done_and_the_next_run_finishes(namespace: str, api_proxy: str) -> None:
    objects = [config_map("a"), deployment("web")]

    def no_workload(_number: int, method: str, path: str) -> int | None:
        return 500 if method == "PATCH" and "/deployments/" in path and "dryRun" not in path else None

    with fault_proxy(api_proxy, no_workload) as url:
        error = _refused(host=url, objects=objects, namespace=namespace)
    assert error.code == "server_error"
    assert error.details["changed"] is True
    assert [row["name"] for row in error.details["objects"]] == ["a"]
    assert actions(apply(objects=objects, namespace=namespace)) == {
        "ConfigMap a": "unchanged",
        "Deployment web": "created",
    }
