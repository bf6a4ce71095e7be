# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of built-in kinds without asking is what a real API server says of them."""

from __future__ import annotations

import json

from ansible_collections.golive.cutover.plugins.module_utils._kube.built_in import namespaced_plural
from tests.e2e.conftest import kubectl

VERSIONS = {
    "v1": "/api/v1",
    **{version: f"/apis/{version}" for version in ("apps/v1", "autoscaling/v2", "batch/v1", "discovery.k8s.io/v1")},
}


def test_built_in_kinds_are_where_they_are_looked_for(cluster: dict[str, str]) -> None:
    known = 0
    for version, path in VERSIONS.items():
        rows = json.loads(kubectl("get", "--raw", path))["resources"]
        for row in rows:
            plural = namespaced_plural(version, row["kind"])
            if plural is not None and "/" not in row["name"]:
                assert (row["name"], row["namespaced"]) == (plural, True)
                known += 1
    assert known == 15


def test_a_kind_that_may_be_missing_is_asked_for() -> None:
    assert namespaced_plural("v1", "Node") is None
    assert namespaced_plural("gateway.networking.k8s.io/v1", "HTTPRoute") is None
    assert namespaced_plural("example.org/v1", "Pod") is None
