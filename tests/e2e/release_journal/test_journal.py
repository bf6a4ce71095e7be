# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb on the real cluster: check, run, check again, run again; both ways; a journal that was changed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit, apply, audit
from tests.e2e.release_journal.runs import SERVICE, journal, live, service

TOKEN = "golive.cutover/token"
__all__ = ["audit"]


def test_quartet(namespace: str, audit: Audit) -> None:
    apply(objects=[service("blue")], namespace=namespace)
    audit.mark()
    planned = journal("begin", namespace, check=True, objects=[SERVICE])
    assert (planned["changed"], planned["token"], planned["lease"], planned["lock"]) == (True, "1", None, {})
    assert audit.writes(namespace) == []

    begun = journal(
        "begin", namespace, objects=[SERVICE], inputs={"version": "2.0.0"}, phase="plan", user="ann", job="12"
    )
    assert (begun["changed"], begun["token"], begun["phase"], begun["resume"]) == (True, "1", "plan", None)
    assert (begun["lock"]["user"], begun["lock"]["job"], begun["lock"]["run_id"]) == ("ann", "12", begun["run_id"])
    # The lock was free and nothing unfinished: nobody is left whose write must fail.
    assert begun["stamped"] == []
    lease = begun["lease"]
    audit.mark()
    would = journal("advance", namespace, check=True, phase="stage", lease=lease)
    assert would["changed"]
    assert audit.writes(namespace) == []
    journal("advance", namespace, phase="stage", verdict={"verdict": "pass"}, lease=lease)
    ended = journal("finish", namespace, outcome="success", lease=lease)
    assert (ended["outcome"], ended["lease"], ended["lock"], ended["chain"]["intact"]) == ("success", None, {}, True)
    (run,) = ended["runs"]
    assert [(one["phase"], one["verdict"]) for one in run["phases"]] == [("plan", {"verdict": "pass"}), ("stage", {})]
    assert run["inputs"] == {"version": "2.0.0"}

    audit.mark()
    assert journal("begin", namespace, check=True)["token"] == "2"
    assert journal("read", namespace)["changed"] is False
    assert {verb for verb, _uri in audit.requests(namespace)} <= {"get"}
    assert journal("begin", namespace)["token"] == "2"


def test_a_run_that_did_not_end_is_gone_on_with_and_its_writes_are_shut_out(namespace: str) -> None:
    apply(objects=[service("blue")], namespace=namespace)
    first = journal("begin", namespace, duration=5, phase="plan")
    journal("advance", namespace, phase="observe", lease=first["lease"])
    second = journal("begin", namespace, objects=[SERVICE], take_over=True)
    assert (second["resume"]["run_id"], second["resume"]["phase"]) == (first["run_id"], "observe")
    assert second["runs"][0]["took_over"] == first["run_id"]
    assert second["stamped"] == ["Service shop"]
    assert live(namespace)["metadata"]["annotations"][TOKEN] == "2"
    with pytest.raises(GoliveError) as caught:
        journal("advance", namespace, phase="settle", lease=first["lease"])
    assert caught.value.code == "lease_lost"
    told: list[str] = []
    late = journal("finish", namespace, outcome="failed", lease=first["lease"], warn=told.append)
    assert (late["changed"], late["lock"]["run_id"]) == (False, second["run_id"])
    assert "no longer holds the lock" in told[0]
    # Held: the next run goes on, and nothing has to be shut out.
    journal("finish", namespace, outcome="held", lease=second["lease"])
    third = journal("begin", namespace, objects=[SERVICE])
    assert (third["resume"]["run_id"], third["resume"]["outcome"]) == (second["run_id"], "held")


def test_a_journal_that_was_changed_by_hand_is_told(namespace: str) -> None:
    begun = journal("begin", namespace)
    journal("advance", namespace, phase="stage", lease=begun["lease"])
    name = "shop-golive-journal"
    found = json.loads(kubectl("-n", namespace, "get", "configmap", name, "-o", "json"))
    found["data"]["entries"] = found["data"]["entries"].replace('"phase":"stage"', '"phase":"other"')
    kubectl("-n", namespace, "replace", "-f", "-", stdin=json.dumps(found))
    told: list[str] = []
    seen = journal("read", namespace, warn=told.append)
    assert seen["chain"] == {"intact": False, "broken_at": 2, "entries": 2}
    assert "entry 2 does not follow" in told[0]
    # A later entry does not cover it up.
    assert journal("finish", namespace, outcome="failed", lease=begun["lease"])["chain"]["broken_at"] == 2


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_both_ways(executable: str, namespace: str, tmp_path: Path) -> None:
    common = {"app": "shop", "namespace": namespace}
    strange = {"namespace": namespace, "name": "other-golive", "token": "1", "holder": "x"}
    cases = {
        "read": {"golive.cutover.release_journal": {**common, "action": "read"}},
        "no phase": {"golive.cutover.release_journal": {**common, "action": "advance"}},
        "too short": {"golive.cutover.release_journal": {**common, "action": "begin", "duration": 1}},
        "not of this app": {
            "golive.cutover.release_journal": {**common, "action": "finish", "outcome": "failed", "lease": strange}
        },
    }
    inside, _module = assert_same(executable, cases, tmp_path)
    assert inside.result("read")["runs"] == []
    assert inside.result("too short")["code"] == "invalid"
