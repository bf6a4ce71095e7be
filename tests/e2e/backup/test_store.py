# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store inside of the cluster: the tests' own server."""

from __future__ import annotations

from tests.e2e.backup.store import BUCKETS, NAME, bring_up, flip, keys, truncate
from tests.e2e.conftest import kubectl


def test_objects_are_put_damaged_and_kept_over_an_outage(namespace: str) -> None:
    store = bring_up(namespace)
    with store.client() as client:
        assert {row["Name"] for row in client.list_buckets()["Buckets"]} == set(BUCKETS)
        client.put_object(Bucket=BUCKETS[0], Key="a/b", Body=b"0123456789")
        flip(client, BUCKETS[0], "a/b", 0)
        truncate(client, BUCKETS[0], "a/b", -2)
    with store.outage():
        assert not kubectl("-n", namespace, "get", "endpoints", NAME, "-o=jsonpath={.subsets}")
    with store.client() as client:
        assert keys(client, BUCKETS[0]) == ["a/b"]
        assert client.get_object(Bucket=BUCKETS[0], Key="a/b")["Body"].read() == b"1" + b"1234567"
