# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns what of a pod template after a rollback."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.rollback_owners import handed_back

APP = 'k:{"name":"app"}'
PORT = 'k:{"containerPort":80,"protocol":"TCP"}'
TEMPLATE = {
    "metadata": {"annotations": {"note": "a", "kubectl.kubernetes.io/restartedAt": "now"}},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "shop:1",
                "envFrom": [{"configMapRef": {"name": "old"}}],
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 10, "timeoutSeconds": 5},
            }
        ]
    },
}


def row(manager: str, app: dict[str, Any], operation: str = "Apply", **template: Any) -> dict[str, Any]:
    """A managedFields entry that owns these fields of the container, and of the template."""
    fields = {"f:spec": {"f:template": {**({"f:spec": {"f:containers": {APP: app}}} if app else {}), **template}}}
    return {"manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsV1": fields}


def back(
    before: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """What is handed back of what the manager ``me`` took."""
    return handed_back(before, rows, TEMPLATE, "me")


def test_a_changed_field_goes_to_who_owned_it_before() -> None:
    golive = row("golive", {".": {}, "f:image": {}, "f:name": {}})
    rows = [row("golive", {".": {}, "f:name": {}}), row("me", {"f:image": {}}, "Update")]
    assert back([golive], rows) == ({0: golive["fieldsV1"]}, [])


def test_a_manager_that_lost_all_gets_its_row_again() -> None:
    note = {"f:metadata": {"f:annotations": {"f:note": {}}}}
    golive, team = row("golive", {".": {}, "f:image": {}, "f:name": {}}), row("team", {}, **note)
    assert back([golive, team], [golive, row("me", {}, "Update", **note)]) == ({}, [team])


def test_a_field_that_came_back_goes_to_who_applies_the_template() -> None:
    golive = row("golive", {".": {}, "f:image": {}, "f:name": {}})
    probe = {".": {}, "f:exec": {".": {}, "f:command": {}}, "f:periodSeconds": {}, "f:timeoutSeconds": {}}
    came = {
        "f:envFrom": {},
        "f:ports": {".": {}, PORT: {".": {}, "f:containerPort": {}, "f:protocol": {}}},
        "f:readinessProbe": probe,
    }
    found, lost = back([golive, row("team", {"f:tty": {}})], [golive, row("me", came, "Update")])
    wanted = row(
        "golive",
        {
            ".": {},
            "f:image": {},
            "f:name": {},
            "f:envFrom": {},
            "f:ports": {PORT: {".": {}, "f:containerPort": {}}},
            "f:readinessProbe": {"f:exec": {"f:command": {}}, "f:timeoutSeconds": {}},
        },
    )
    assert (found, lost) == ({0: wanted["fieldsV1"]}, [])


def test_what_no_manifest_holds_goes_to_nobody() -> None:
    golive = row("golive", {".": {}, "f:name": {}})
    edited = row("kubectl-edit", {"f:image": {}}, "Update")
    restarted = {"f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}}}
    mine = row("me", {"f:image": {}, "f:imagePullPolicy": {}}, "Update", **restarted)
    mine["fieldsV1"]["f:metadata"] = {"f:annotations": {"f:elsewhere": {}}}
    container = {"name": "app", "image": "shop:1", "imagePullPolicy": "IfNotPresent"}
    template = {**TEMPLATE, "spec": {"containers": [container]}}
    assert handed_back([golive, edited], [golive, mine], template, "me") == ({}, [])


def test_without_an_applier_nothing_is_handed_back() -> None:
    assert back([row("kubectl", {"f:image": {}}, "Update")], [row("me", {"f:image": {}}, "Update")]) == ({}, [])
