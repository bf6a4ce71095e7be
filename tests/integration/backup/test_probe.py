# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary and the lock of a real store, as ``backup_probe`` keeps and tries them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.canary import INFO, NAME, OK, judge_canary
from ansible_collections.golive.cutover.plugins.module_utils._backup.key import Key
from ansible_collections.golive.cutover.plugins.module_utils._backup.lock_probe import (
    FOLDER,
    LOCKED,
    UNLOCKED,
    probe_lock,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.probe import PUT, RENEWED, keep_canary, probed_lock
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call, call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.integration.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

KEY = Key("phrase", "k1")


def store_of(s3: S3Server, bucket: str) -> Store:
    return Store(
        call_for_tests({}), Place(s3.endpoint, bucket, REGION, "/x"), Keys(ACCESS_KEY, SECRET_KEY), ca=s3.tls.ca
    )


@pytest.fixture
def store(s3: S3Server, bucket: str) -> Iterator[Store]:
    with store_of(s3, bucket) as made:
        yield made


def asked(check: bool = False, renew: bool = False, lock: str = "report") -> Call:
    return Call(params={"renew": renew, "lock": lock}, check_mode=check, diff_mode=False)


def code(store: Store, key: Key, **options: Any) -> str:
    """Of the refusal, which has left all as it was."""
    before = store.head(NAME)
    with pytest.raises(GoliveError) as caught:
        keep_canary(asked(**options), store, key)
    assert store.head(NAME) == before
    return caught.value.code


def test_quartet_of_a_canary(store: Store) -> None:
    done = []
    for check in (True, False, True, False):
        done.append(keep_canary(asked(check), store, KEY).done)
        assert (store.head(NAME) is None) == (len(done) == 1)
    assert done == [PUT, PUT, OK, OK]


@pytest.mark.parametrize(
    ("key", "expected"), [(Key("other", "k1"), "canary_wrong_key"), (Key("phrase", "k2"), "canary_other_key")]
)
def test_another_key_overwrites_nothing_unless_told(store: Store, key: Key, expected: str) -> None:
    keep_canary(asked(), store, KEY)
    for check in (True, False):
        assert code(store, key, check=check) == expected
    assert [keep_canary(asked(check, True), store, key).done for check in (True, False, True, False)] == [
        RENEWED,
        RENEWED,
        OK,
        OK,
    ]
    assert judge_canary(store.get(NAME).data, key.passphrase, key.id).state == OK


def test_a_damaged_canary_is_told(store: Store) -> None:
    store.put(NAME, b"{}")
    assert code(store, KEY) == "canary_damaged"
    assert keep_canary(asked(renew=True), store, KEY).done == RENEWED


def test_a_key_that_does_not_open_the_repository_puts_no_canary(store: Store, tmp_path: Path) -> None:
    store.put(INFO, b"Salted__" + hashlib.sha256(b"of another key").digest() * 2)
    for check in (True, False):
        assert code(store, KEY, check=check) == "repository_wrong_key"
    store.put(NAME, b"{}")
    assert code(store, KEY, renew=True) == "repository_wrong_key"


def test_a_lock_is_probed_and_what_is_left_goes_later(s3: S3Server, bucket: str) -> None:
    with store_of(s3, s3.locked_bucket(f"{bucket}-locked")) as store:
        for call in (asked(check=True), asked(lock="skip")):
            assert probed_lock(call, store) is None
        assert not list(store.versions(FOLDER))
        probed = probed_lock(asked(), store)
        assert probed is not None
        assert probed.state == LOCKED
        (left,) = store.versions(FOLDER)
        # Its lock has not ended: a probe that believes so is refused, and goes on.
        assert probe_lock(store, datetime.now(timezone.utc) + timedelta(minutes=20)).state == LOCKED
        assert left.version in [one.version for one in store.versions(FOLDER)]


def test_what_earlier_probes_have_left_goes(s3: S3Server, bucket: str, store: Store) -> None:
    s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put(f"{FOLDER}20260101-000000-x", b"old")
    assert probe_lock(store, datetime.now(timezone.utc)).state == UNLOCKED
    assert len(list(store.versions(FOLDER))) == 1
    assert probe_lock(store, datetime.now(timezone.utc) + timedelta(minutes=11)).state == UNLOCKED
    assert not list(store.versions(FOLDER))
