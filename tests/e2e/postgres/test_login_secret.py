# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``login_secret`` on real Secrets: the quartet, a change of the login step by step, and what is refused."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.modules import login_secret
from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.verbs import call_verb

NAME = "shop-postgres"
OPTIONS: dict[str, Any] = {"name": NAME, "logins": ["shop_a", "shop_b"], "labels": {"team": "shop"}}


def keep(namespace: str, step: str = "keep", **options: Any) -> dict[str, Any]:
    """One run of the verb, which must succeed."""
    result = call_verb(login_secret, namespace=namespace, step=step, **{**OPTIONS, **options})
    assert not result.get("failed"), result
    return result


def refused(namespace: str, **options: Any) -> str:
    """Code of the failure."""
    return str(call_verb(login_secret, namespace=namespace, **{**OPTIONS, **options})["code"])


def held(namespace: str, name: str = NAME) -> dict[str, str] | None:
    """What the Secret holds; None without one."""
    found = kubectl("-n", namespace, "get", "secret", name, "--ignore-not-found", "-o", "json")
    if not found:
        return None
    return {key: base64.b64decode(value).decode() for key, value in json.loads(found)["data"].items()}


def test_quartet_and_one_change(namespace: str) -> None:
    planned = keep(namespace, check=True, diff=True)
    assert (planned["changed"], planned["created"], held(namespace)) == (True, True, None)
    done = keep(namespace, diff=True)
    first = held(namespace)
    assert first is not None
    assert (first["username"], len(first["password"])) == ("shop_a", 32)
    assert first["password"] not in str(done)
    assert [row["after"] for row in done["diff"]] == [row["after"] for row in planned["diff"]]
    for check in (True, False):
        again = keep(namespace, check=check)
        assert (again["changed"], again["login"], again["spare"], again["next"]) == (False, "shop_a", "shop_b", None)

    assert keep(namespace, "begin", check=True)["coming"] == "shop_b"
    assert held(namespace, f"{NAME}-next") is None
    assert keep(namespace, "begin")["changed"]
    coming = held(namespace, f"{NAME}-next")
    assert coming is not None
    assert coming["password"] != first["password"]
    # Interrupted, it goes on with the same login and password.
    assert not keep(namespace, "begin")["changed"]
    assert (held(namespace), held(namespace, f"{NAME}-next")) == (first, coming)
    assert refused(namespace, step="end") == "not_moved"
    moved = keep(namespace, "move", diff=True)
    assert (moved["changed"], moved["login"], moved["next"]) == (True, "shop_b", f"{NAME}-next")
    assert held(namespace) == coming
    assert coming["password"] not in str(moved)
    assert not keep(namespace, "move")["changed"]
    assert keep(namespace, "end")["changed"]
    assert not keep(namespace, "end")["changed"]
    assert (held(namespace), held(namespace, f"{NAME}-next")) == (coming, None)
    assert keep(namespace, "begin")["coming"] == "shop_a"


def test_who_begins_at_once_begins_one_change(namespace: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _number: keep(namespace), range(4)))
        begun = list(pool.map(lambda _number: keep(namespace, "begin"), range(4)))
    assert {one["login"] for one in made} == {"shop_a"}
    assert {one["coming"] for one in begun} == {"shop_b"}


def test_the_secret_of_somebody_else_is_refused_or_adopted_with_its_password(namespace: str) -> None:
    kubectl("-n", namespace, "create", "secret", "generic", NAME, "--from-literal=password=theirs")
    assert refused(namespace) == "foreign_secret"
    assert held(namespace) == {"password": "theirs"}
    assert keep(namespace, adopt=True)["login"] == "shop_a"
    assert held(namespace) == {"username": "shop_a", "password": "theirs"}
    assert refused(namespace, logins=["other_a", "other_b"]) == "foreign_secret"
    keep(namespace, name="copy", logins=["postgres"], password_from={"name": NAME})
    assert held(namespace, "copy") == {"username": "postgres", "password": "theirs"}
    assert refused(namespace, name="copy", logins=["postgres"], step="begin") == "invalid"
    assert refused(namespace, name="none", password_from={"name": "nosuch"}) == "not_found"


def test_both_ways(namespace: str, tmp_path: Path) -> None:
    keep(namespace, "begin")
    cases = {
        step: {"golive.cutover.login_secret": {**OPTIONS, "namespace": namespace, "step": step}}
        for step in ("keep", "begin", "end")
    }
    assert_same(PLAYBOOKS[0], cases, tmp_path)
