# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets in real Secrets, and a ConfigMap that remembers what was sent: the quartet, both ways, faults."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import notify
from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.leases import take
from tests.integration.postgres import free_port
from tests.receivers.web import receiving


def put(namespace: str, **urls: str) -> None:
    """The Secret ``notify`` with these keys."""
    literals = [f"--from-literal={key}={url}" for key, url in urls.items()]
    kubectl("-n", namespace, "create", "secret", "generic", "notify", *literals)


def say(namespace: str, *keys: str, **options: Any) -> dict[str, Any]:
    targets = [{"secret": {"name": "notify", "key": key}} for key in keys]
    given = {"event": "shifted", "app": "shop", "namespace": namespace, "targets": targets, **options}
    return call_verb(notify, **given)


def remembered(namespace: str) -> list[dict[str, Any]]:
    text = kubectl("-n", namespace, "get", "configmap", "shop-golive-sent", "-o", "jsonpath={.data.sent\\.json}")
    found: list[dict[str, Any]] = json.loads(text)
    return found


def test_quartet(namespace: str, audit: Audit) -> None:
    with receiving() as web:
        put(namespace, slack=f"json://127.0.0.1:{web.port}/a", mail=f"json://127.0.0.1:{web.port}/b")
        audit.mark()
        planned = say(namespace, "slack", "mail", key="run-1", check=True, diff=True)
        assert (planned["changed"], planned["wanted"]) == (
            True,
            ["Secret notify, key slack", "Secret notify, key mail"],
        )
        assert (web.got, audit.writes(namespace)) == ([], [])
        sent = say(namespace, "slack", "mail", key="run-1", diff=True)
        assert (sent["changed"], len(web.got), sent["undelivered"]) == (True, 2, [])
        assert len(audit.writes(namespace)) == 1
        for again in (
            say(namespace, "slack", "mail", key="run-1", check=True, diff=True),
            say(namespace, "slack", "mail", key="run-1"),
        ):
            assert (again["changed"], again["wanted"], again.get("diff", [])) == (False, [], [])
            assert [row["reason"] for row in again["passed_over"]] == ["sent before"] * 2
        assert (len(web.got), len(audit.writes(namespace))) == (2, 1)
        assert say(namespace, "slack", key="run-2")["changed"] is True
    assert [row["key"] for row in remembered(namespace)] == ["run-1", "run-2"]


def test_only_who_did_not_get_it_gets_it_again(namespace: str) -> None:
    port = free_port()
    with receiving() as web:
        put(namespace, up=f"json://127.0.0.1:{web.port}", down=f"json://127.0.0.1:{port}/tok")
        first = say(namespace, "up", "down", key="run-1", attempts=1)
        assert [row["target"] for row in first["undelivered"]] == ["Secret notify, key down"]
        kubectl("-n", namespace, "delete", "secret", "notify")
        put(namespace, up=f"json://127.0.0.1:{web.port}", down=f"json://127.0.0.1:{web.port}/again")
        second = say(namespace, "up", "down", key="run-1")
    assert [row["target"] for row in second["delivered"]] == ["Secret notify, key down"]
    assert [row["path"] for row in web.got] == ["/", "/again"]
    assert remembered(namespace)[0]["targets"] == ["Secret notify, key down", "Secret notify, key up"]


def test_many_at_once_forget_nothing(namespace: str) -> None:
    with receiving() as web:
        put(namespace, a=f"json://127.0.0.1:{web.port}")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: say(namespace, "a", key=f"run-{number}"), range(4)))
    assert sorted(row["key"] for row in remembered(namespace)) == [f"run-{number}" for number in range(4)]


def test_what_is_missing_is_named(namespace: str) -> None:
    put(namespace, two="json://a json://b", good="json://127.0.0.1:1")
    result = say(namespace, "none", "two", targets=[
        {"secret": {"name": "notify", "key": "none"}},
        {"secret": {"name": "notify", "key": "two"}},
        {"secret": {"name": "nothing", "key": "x"}},
    ])  # fmt: skip
    assert [row["code"] for row in result["undelivered"]] == ["key_missing", "url_invalid", "not_found"]
    assert "good, two" in result["undelivered"][0]["reason"]
    assert "json://" not in json.dumps(result)


def test_a_run_that_lost_its_lease_says_nothing(namespace: str) -> None:
    lease = take(namespace)
    take(namespace)
    with receiving() as web:
        put(namespace, a=f"json://127.0.0.1:{web.port}")
        result = say(namespace, "a", key="x", lease=lease)
    assert (result["code"], web.got) == ("lease_lost", [])


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_both_ways(executable: str, namespace: str, tmp_path: Path) -> None:
    with receiving() as web:
        put(namespace, a=f"json://127.0.0.1:{web.port}/s3cr3t-path", bad="nope://s3cr3t-path")
        targets = [{"secret": {"name": "notify", "key": key}} for key in ("a", "bad")]
        options = {"event": "failed", "app": "shop", "namespace": namespace, "targets": targets, "text": "{app}"}
        cases = {
            "sent": {"golive.cutover.notify": options, "diff": True},
            "planned": {"golive.cutover.notify": options, "diff": True, "check_mode": True},
            "strict": {"golive.cutover.notify": {**options, "strict": True}},
        }
        inside, module = assert_same(executable, cases, tmp_path)
    assert len(web.got) == 4
    assert "s3cr3t-path" not in inside.out + module.out
