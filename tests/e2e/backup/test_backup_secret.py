# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``backup_secret`` on real Secrets: the quartet, changed keys, a lost passphrase, and what is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import backup_secret, tls_secret
from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.verbs import call_verb

NAME = "shop-postgres-backup"
KEYS = {"access_key": "AKIA-1\n", "secret_key": "hidden-one"}
FIRST: dict[str, Any] = {
    "endpoint": "s3.example.org",
    "bucket": "backups",
    "path": "/shop",
    "secret": {"name": "s3-keys"},
}
SECOND = {**FIRST, "bucket": "far", "ca_secret": {"name": "s3-ca"}}
SERVER = {"host": "shop-postgres-0.shop-postgres-nodes.shop.svc", "data": "/data"}
OPTIONS: dict[str, Any] = {"name": NAME, "repositories": [FIRST], "server": SERVER, "labels": {"team": "shop"}}


def keep(namespace: str, **options: Any) -> dict[str, Any]:
    """One run of the verb, which must succeed."""
    result = call_verb(backup_secret, namespace=namespace, **{**OPTIONS, **options})
    assert not result.get("failed"), result
    return result


def refused(namespace: str, **options: Any) -> str:
    """Code of the failure."""
    return str(call_verb(backup_secret, namespace=namespace, **{**OPTIONS, **options}).get("code"))


def held(namespace: str, name: str) -> dict[str, str]:
    """What the Secret holds."""
    found = json.loads(kubectl("-n", namespace, "get", "secret", name, "-o", "json"))["data"]
    return {key: base64.b64decode(value).decode() for key, value in found.items()}


def put(namespace: str, name: str, values: dict[str, str]) -> None:
    """A Secret of the operator's."""
    meta = {"name": name, "namespace": namespace}
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": values}
    kubectl("apply", "-f", "-", stdin=json.dumps(made))


def names(namespace: str) -> list[str]:
    return sorted(kubectl("-n", namespace, "get", "secrets", "-o", "name").split())


@pytest.fixture
def certified(namespace: str) -> str:
    """A namespace with the certificates of both sides, and the keys of a store."""
    for name, usage in ((NAME, "server"), (f"{NAME}-client", "client")):
        options = {"name": name, "ca": {"name": "shop-ca"}, "names": [name], "usages": [usage]}
        assert call_verb(tls_secret, namespace=namespace, **options)["changed"]
    put(namespace, "s3-keys", KEYS)
    return namespace


def test_quartet(certified: str) -> None:
    before = names(certified)
    planned = keep(certified, check=True, diff=True)
    assert (planned["changed"], planned["key_created"], planned["key_id"]) == (True, True, None)
    assert names(certified) == before
    done = keep(certified, diff=True)
    assert done["written"] == planned["written"] == [f"{NAME}-key", NAME, f"{NAME}-client"]
    assert [row["after"] for row in done["diff"]] == [row["after"] for row in planned["diff"]]
    passphrase, server, client = (held(certified, f"{NAME}{end}") for end in ("-key", "", "-client"))
    assert (len(passphrase["cipher"]), passphrase["key_id"]) == (64, done["key_id"])
    for secret in (server, client):
        assert f"repo1-cipher-pass={passphrase['cipher']}\n" in secret["pgbackrest.conf"]
        assert "repo1-s3-key=AKIA-1\n" in secret["pgbackrest.conf"]
        assert {"tls.crt", "tls.key", "ca.crt"} < set(secret)
    for value in (passphrase["cipher"], "hidden-one", "AKIA-1"):
        assert value not in str(done) + str(planned)
    for check in (True, False):
        again = keep(certified, check=check, diff=True)
        assert (again["changed"], again["written"], again["diff"]) == (False, [], [])
        assert again["key_id"] == done["key_id"]
    # The certificates in the same Secrets are none of its business, and it is none of theirs.
    options = {"name": NAME, "ca": {"name": "shop-ca"}, "names": [NAME]}
    assert not call_verb(tls_secret, namespace=certified, **options)["changed"]
    assert call_verb(tls_secret, namespace=certified, renew=True, **options)["changed"]
    assert not keep(certified)["changed"]


def test_keys_and_repositories_change_and_the_passphrase_does_not(certified: str) -> None:
    keep(certified)
    passphrase = held(certified, f"{NAME}-key")
    put(certified, "s3-keys", {**KEYS, "secret_key": "hidden-two"})
    put(certified, "s3-ca", {"ca.crt": "-----BEGIN CERTIFICATE-----\nx\n"})
    changed = keep(certified, repositories=[FIRST, SECOND], diff=True)
    assert (changed["written"], changed["key_created"]) == ([NAME, f"{NAME}-client"], False)
    assert "repo1-s3-key-secret=******** (differs)" in str(changed["diff"])
    server = held(certified, NAME)
    assert "repo2-s3-key-secret=hidden-two\n" in server["pgbackrest.conf"]
    assert "repo2-ca.crt" in server
    # What was there for a repository that is gone goes with it.
    keep(certified)
    assert "repo2-ca.crt" not in held(certified, NAME)
    assert held(certified, f"{NAME}-key") == passphrase


def test_a_lost_passphrase_is_not_silently_another_one(certified: str) -> None:
    keep(certified)
    first = held(certified, f"{NAME}-key")
    kubectl("-n", certified, "delete", "secret", f"{NAME}-key")
    for check in (True, False):
        assert refused(certified, check=check) == "key_lost"
    # Put back, it is as before.
    put(certified, f"{NAME}-key", {"cipher": first["cipher"]})
    back = keep(certified)
    assert (back["written"], back["key_created"]) == ([f"{NAME}-key"], False)
    kubectl("-n", certified, "delete", "secret", f"{NAME}-key")
    new = keep(certified, new_key=True)
    assert new["key_created"]
    assert held(certified, f"{NAME}-key")["cipher"] != first["cipher"]
    assert not keep(certified, new_key=True)["changed"]


def test_what_is_missing_is_named(namespace: str) -> None:
    assert keep(namespace, check=True)["changed"]
    assert refused(namespace) == "certificate_missing"
    assert names(namespace) == []


def test_keys_that_cannot_be_used_are_refused(certified: str) -> None:
    other = {"name": "s3-keys", "key": "nosuch"}
    assert refused(certified, repositories=[{**FIRST, "secret": other}]) == "key_missing"
    assert refused(certified, repositories=[{**FIRST, "secret": {"name": "nosuch"}}]) == "not_found"
    put(certified, "s3-keys", {**KEYS, "secret_key": "x\nrepo1-type=posix"})
    assert refused(certified) == "invalid"
    assert f"secret/{NAME}-key" not in names(certified)


def test_both_ways(certified: str, tmp_path: Path) -> None:
    keep(certified)
    cases = {
        "as it is": {"golive.cutover.backup_secret": {**OPTIONS, "namespace": certified}},
        "refused": {"golive.cutover.backup_secret": {**OPTIONS, "namespace": certified, "name": "other"}},
    }
    assert_same(PLAYBOOKS[0], cases, tmp_path)
