# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of Jobs and choice of revisions."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import INPUT, job_manifest
from ansible_collections.golive.cutover.plugins.module_utils._kube.rollback_revisions import Revision, chosen

WORKLOAD = {"kind": "Deployment", "metadata": {"name": "shop", "namespace": "default"}}


def manifest(name: str = "load", ttl: int | None = None, **spec: Any) -> dict[str, Any]:
    definition = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
    return job_manifest({"definition": definition, "namespace": "shop", "ttl": ttl})


def test_name_follows_the_input() -> None:
    one, same, other = manifest(backoffLimit=1), manifest(backoffLimit=1), manifest(backoffLimit=2)
    assert one == same
    assert one["metadata"]["name"] != other["metadata"]["name"]
    assert one["metadata"]["annotations"][INPUT].startswith(one["metadata"]["name"].rpartition("-")[2])
    assert len(manifest("x" * 63)["metadata"]["name"]) == 63


def test_time_to_live() -> None:
    assert manifest()["spec"]["ttlSecondsAfterFinished"] == 86400
    assert manifest(ttlSecondsAfterFinished=5)["spec"]["ttlSecondsAfterFinished"] == 5
    assert manifest(ttl=0, ttlSecondsAfterFinished=5)["spec"]["ttlSecondsAfterFinished"] == 0


def revision(number: int, *former: int) -> Revision:
    obj = {"metadata": {"name": f"shop-{number}"}}
    return Revision(number, former, obj, {"spec": {"containers": [{"image": f"app:{number}"}]}})


def test_choice() -> None:
    rows = [revision(2), revision(4, 1, 3), revision(5)]
    assert chosen(WORKLOAD, rows, rows[2], None).number == 4
    assert chosen(WORKLOAD, rows, rows[1], None).number == 2
    assert chosen(WORKLOAD, rows, rows[2], 1).number == 4
    assert chosen(WORKLOAD, rows, rows[2], 5).number == 5
    for current, wanted in ((rows[0], None), (rows[2], 9)):
        with pytest.raises(GoliveError) as caught:
            chosen(WORKLOAD, rows, current, wanted)
        assert caught.value.code == "no_revision"
        assert [row["revision"] for row in caught.value.details["revisions"]] == [2, 4, 5]
