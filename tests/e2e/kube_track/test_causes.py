# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fail-fast table on the real cluster: each situation must be named, in time, with what a person needs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import kube_track
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.situations import SITUATIONS, apply, deployment
from tests.e2e.kube_track.verbs import call_verb

_AT_ONCE = 6
pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def space(cluster: dict[str, str]) -> Iterator[str]:
    """One namespace for all of them."""
    name = f"golive-track-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false", check=False)


@pytest.fixture(scope="module")
def results(space: str) -> dict[str, dict[str, Any]]:
    """The result of tracking every situation, some side by side."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(SITUATIONS, pool.map(lambda name: _tracked(space, name), SITUATIONS), strict=True))


def _tracked(space: str, name: str) -> dict[str, Any]:
    situation = SITUATIONS[name]
    objects = situation.make(name)
    apply(space, *objects)
    kind = objects[0]["kind"] if objects else "Deployment"
    options = {"soak": 3, "timeout": 90, **situation.options}
    result = call_verb(kube_track, objects=[{"kind": kind, "name": name}], namespace=space, **options)
    if objects:
        kubectl("-n", space, "delete", kind, name, "--wait=false")
    return result


@pytest.mark.parametrize("name", SITUATIONS)
def test_cause_is_named_in_time(results: dict[str, dict[str, Any]], name: str) -> None:
    expected, result = SITUATIONS[name], results[name]
    assert result.get("failed"), result
    cause = result["cause"]
    assert (cause["code"], cause["class"]) == (expected.code, expected.cause_class), cause
    assert result["code"] == expected.code
    assert result["verdict"] == expected.verdict
    assert cause["seconds"] <= expected.seconds
    assert expected.says in cause["message"]
    assert expected.logs in "\n".join(cause["logs"])
    assert cause["hint"]
    assert cause["hint"] in result["msg"]


def test_quota(space: str, namespace: str) -> None:
    kubectl("-n", namespace, "create", "quota", "none", "--hard=pods=0")
    apply(namespace, deployment("shop"))
    result = call_verb(kube_track, objects=[{"kind": "Deployment", "name": "shop"}], namespace=namespace)
    assert result["cause"]["code"] == "quota_exceeded"
    assert result["cause"]["seconds"] <= 10


def test_pod_security(namespace: str) -> None:
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    apply(namespace, deployment("shop"))
    result = call_verb(kube_track, objects=[{"kind": "Deployment", "name": "shop"}], namespace=namespace)
    assert result["cause"]["code"] == "pod_security"
    assert result["cause"]["seconds"] <= 10
