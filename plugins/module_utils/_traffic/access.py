# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the API server beforehand whether this user may do what a switch needs; reference section 2.3, R0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
Right = tuple[str, str, str]


def rights_of_switch() -> tuple[Right, ...]:
    """Verb, API group and resource of each right."""
    return (
        ("get", "", "services"),
        ("patch", "", "services"),
        ("list", "", "pods"),
        ("get", "apps", "deployments"),
        ("list", "apps", "replicasets"),
        ("list", "discovery.k8s.io", "endpointslices"),
    )


def rights_of_settle() -> tuple[Right, ...]:
    """Verb, API group and resource of each right."""
    return (("patch", "apps", "deployments"), ("patch", "", "pods"))


def need_rights(client: Client, namespace: str, rights: Iterable[Right]) -> None:
    """Raise GoliveError ``forbidden`` with every missing right at once."""

    def denied(right: Right) -> bool:
        verb, group, resource = right
        asked: dict[str, Any] = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        # Nothing is stored by a review; dryRun says so to whoever reads the audit log.
        answer = client.request("POST", _REVIEWS, query={"dryRun": "All"}, body=body)
        return not answer["status"].get("allowed")

    wanted = list(rights)
    refused = client.map(denied, wanted)
    missing = [f"{right[0]} {right[2]}" for right, no in zip(wanted, refused, strict=True) if no]
    if missing:
        raise GoliveError(
            "forbidden",
            f"This user may not do what a switch in namespace {namespace} needs: {', '.join(missing)}.",
            "Grant these rights, or use a context that has them.",
            {"missing_rights": missing},
        )
