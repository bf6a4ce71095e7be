# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of backups in a real store: none of many writers is lost, and a damaged one is named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.canary import (
    ABSENT,
    NAME,
    OK,
    WRONG_KEY,
    judge_canary,
    put_canary,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.lock_probe import (
    LOCKED,
    PRETENDS,
    UNLOCKED,
    probe_lock,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.records import (
    FOLDER,
    Record,
    change_record,
    read_record,
    read_records,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.integration.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

LABEL = "20261130-093000F_20261130-120000I"


def store_of(s3: S3Server, bucket: str) -> Store:
    place = Place(s3.endpoint, bucket, REGION, "/test/shop")
    return Store(call_for_tests({}), place, Keys(ACCESS_KEY, SECRET_KEY), ca=s3.tls.ca)


@pytest.fixture
def store(s3: S3Server, bucket: str) -> Iterator[Store]:
    with store_of(s3, bucket) as made:
        yield made


def test_a_record_is_made_changed_and_listed(store: Store) -> None:
    assert read_record(store, LABEL) is None
    change_record(store, LABEL, lambda before: replace(before, run="r1", hold={"reason": "audit"}))
    change_record(store, LABEL, lambda before: before.verified("L6", "2026-11-30T12:00:00Z", {"rows": 5}))
    seen = Record(LABEL, "L6", "2026-11-30T12:00:00Z", "r1", {"reason": "audit"}, ({"rows": 5},))
    assert read_record(store, LABEL) == seen
    assert read_records(store) == ({LABEL: seen}, [])
    bad = change_record(store, LABEL, lambda before: before.found_bad("2026-12-01T12:00:00Z", {"file": "x"}))
    assert (bad.verified_level, len(bad.evidence), bad.run) == (None, 2, "r1")


def test_no_change_writes_nothing(store: Store) -> None:
    change_record(store, LABEL, lambda before: replace(before, run="r1"))
    before = store.head(f"{FOLDER}{LABEL}.json")
    change_record(store, LABEL, lambda before: replace(before, run="r1"))
    assert store.head(f"{FOLDER}{LABEL}.json") == before


def test_of_many_writers_at_once_none_is_lost(store: Store) -> None:
    def write(number: int) -> None:
        change_record(store, LABEL, lambda before: before.verified("L1", "2026-11-30T12:00:00Z", {"number": number}))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    record = read_record(store, LABEL)
    assert record is not None
    assert sorted(one["number"] for one in record.evidence) == [0, 1, 2, 3]


def test_what_a_later_version_wrote_stays(store: Store) -> None:
    change_record(store, LABEL, lambda before: replace(before, more={"later": [1]}))
    change_record(store, LABEL, lambda before: replace(before, run="r2"))
    record = read_record(store, LABEL)
    assert record is not None
    assert (record.more, record.run) == ({"later": [1]}, "r2")


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b'{"format": 1, "label": "other"}'])
def test_a_damaged_record_is_named_and_hides_no_other(store: Store, content: bytes) -> None:
    store.put(f"{FOLDER}{LABEL}.json", content)
    change_record(store, "20261201-093000F", lambda before: replace(before, run="r1"))
    found, bad = read_records(store)
    assert (list(found), bad) == (["20261201-093000F"], [LABEL])
    with pytest.raises(GoliveError, match="Reading the record"):
        change_record(store, LABEL, lambda before: before)
    with pytest.raises(GoliveError, match="cannot be the label"):
        read_record(store, "../x")


def test_the_canary_is_put_once_and_never_replaced(store: Store) -> None:
    assert judge_canary(None, "phrase").state == ABSENT
    assert put_canary(store, "phrase", "k1")
    assert not put_canary(store, "another", "k2")
    data = store.get(NAME).data
    assert judge_canary(data, "phrase", "k1").state == OK
    assert judge_canary(data, "another").state == WRONG_KEY
    assert b"phrase" not in data


def test_a_bucket_with_locks_keeps_what_is_locked(s3: S3Server, bucket: str) -> None:
    with store_of(s3, s3.locked_bucket(f"{bucket}-locked")) as store:
        probed = probe_lock(store, datetime.now(timezone.utc))
        assert probed.state == LOCKED, probed
        assert [step.rpartition(": ")[2] for step in probed.steps[1:4]] == ["refused"] * 3


@pytest.mark.parametrize("versions", [False, True])
def test_a_bucket_without_locks_is_told(s3: S3Server, bucket: str, store: Store, versions: bool) -> None:
    if versions:
        s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert probe_lock(store, datetime.now(timezone.utc)).state == UNLOCKED


def test_a_store_that_takes_the_words_of_a_lock_and_deletes_is_found(s3: S3Server, bucket: str) -> None:
    class Forgetful(Store):
        """A store that reads the headers of a lock and does nothing about them, as some do."""

        def put_locked(self, name: str, data: bytes, until: datetime) -> str:
            return str(self._put(name, data)["VersionId"])

        def locked_until(self, name: str, version: str) -> datetime | None:
            return datetime.now(timezone.utc) + timedelta(days=1)

    s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    place = Place(s3.endpoint, bucket, REGION)
    with Forgetful(call_for_tests({}), place, Keys(ACCESS_KEY, SECRET_KEY), ca=s3.tls.ca) as store:
        probed = probe_lock(store, datetime.now(timezone.utc))
    assert probed.state == PRETENDS
    assert "could be deleted" in probed.reason
