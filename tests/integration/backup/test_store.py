# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our side of a store against a real S3 server: what it writes and reads, and what it says when that fails."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import Any

import botocore.auth
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._backup.store_tunnel import proxy_into
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.integration.postgres import free_port
from tests.integration.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server, new_tls

Open = Callable[..., Store]
FIRST = datetime(2020, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def opened(s3: S3Server, bucket: str) -> Any:
    """Opens the bucket below the path ``shop``; the arguments change what is given."""
    with ExitStack() as stack:

        def make(
            server: S3Server = s3, secret: str = SECRET_KEY, place: dict[str, Any] | None = None, **more: Any
        ) -> Store:
            where = Place(
                **{"endpoint": server.endpoint, "bucket": bucket, "region": REGION, "path": "/shop", **(place or {})}
            )
            keys = Keys(ACCESS_KEY, secret)
            return stack.enter_context(Store(call_for_tests({}), where, keys, **{"ca": server.tls.ca, **more}))

        yield make


def code_of(work: Callable[[], Any]) -> str:
    """The code of the failure; its text holds no secret."""
    with pytest.raises(GoliveError) as caught:
        work()
    assert SECRET_KEY not in str(caught.value)
    return caught.value.code


def test_objects_lie_below_the_path(opened: Open, s3: S3Server, bucket: str) -> None:
    store = opened()
    etag = store.put("a/b", b"0123456789")
    assert (s3.folder(bucket) / "shop" / "a" / "b").read_bytes() == b"0123456789"
    assert store.get("a/b").data == b"0123456789"
    assert store.get("a/b").etag == etag
    assert store.get_range("a/b", 2, 3) == b"234"
    assert store.get_range("a/b", 8, 100) == b"89"
    (entry,) = store.list("a/")
    assert (entry.name, entry.size, entry.etag) == ("a/b", 10, etag)
    assert abs((entry.modified - datetime.now(timezone.utc)).total_seconds()) < 60
    assert store.head("a/b") == entry
    store.delete("a/b")
    assert store.get_or_none("a/b") is None
    assert store.head("a/b") is None
    assert code_of(lambda: store.get("a/b")) == "not_found"


def test_a_listing_has_all_pages_and_only_its_folder(opened: Open, s3: S3Server, bucket: str) -> None:
    folder = s3.folder(bucket) / "shop" / "wal" / "one"
    folder.mkdir(parents=True)
    for number in range(2100):
        (folder / f"{number:05}").touch()
    (s3.folder(bucket) / "shop2").mkdir()
    (s3.folder(bucket) / "shop2" / "other").touch()
    (folder.parent / "two").mkdir()
    (folder.parent / "two" / "x").touch()
    store = opened()
    assert [entry.name for entry in store.list("wal/one/")] == [f"wal/one/{number:05}" for number in range(2100)]
    assert store.folders("wal/") == ("one", "two")
    assert len(list(store.list())) == 2101


def test_only_one_of_two_writers_wins(opened: Open) -> None:
    store = opened()
    first = store.put_if_none("record", b"1")
    assert code_of(lambda: store.put_if_none("record", b"2")) == "changed"
    second = store.put_if_match("record", b"3", first)
    assert code_of(lambda: store.put_if_match("record", b"4", first)) == "changed"
    assert store.get("record").data == b"3"
    assert store.get("record").etag == second
    assert code_of(lambda: store.put_if_match("nothing", b"5", first)) in ("changed", "not_found")


def test_an_answer_that_was_lost_is_no_lost_race(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()
    real = store._client.put_object
    answers = iter([True, False])

    def lossy(**asked: Any) -> Any:
        done = real(**asked)
        if next(answers):
            raise ConnectionResetError("lost on its way back")
        return done

    monkeypatch.setattr(store._client, "put_object", lossy)
    store.put_if_none("record", b"mine")
    assert store.get("record").data == b"mine"


def test_versions_and_markers_are_seen(opened: Open, s3: S3Server, bucket: str) -> None:
    s3.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store = opened()
    for content in (b"1", b"22"):
        store.put("x", content)
    store.delete("x")
    found = sorted(store.versions(), key=lambda one: (not one.marker, -one.size))
    assert [(one.name, one.size, one.marker, one.latest) for one in found] == [
        ("x", 0, True, True),
        ("x", 2, False, False),
        ("x", 1, False, False),
    ]
    assert store.get("x", found[2].version).data == b"1"
    store.delete_version("x", found[0].version)
    assert store.get("x").data == b"22"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("key_wrong", {"secret": "not-the-secret"}),
        ("ca_unknown", {"ca": new_tls("localhost").ca}),
        ("ca_unknown", {"ca": None}),
        ("no_bucket", {"place": {"bucket": "nowhere-to-be-found"}}),
        ("no_name", {"place": {"endpoint": "s3.nowhere.invalid"}}),
        ("unreachable", {"place": {"endpoint": f"localhost:{free_port()}"}}),
        ("unreachable", {"proxy": f"http://127.0.0.1:{free_port()}"}),
    ],
)
def test_each_reason_has_its_code(opened: Open, code: str, change: dict[str, Any]) -> None:
    store = opened(**change)
    assert code_of(lambda: list(store.list())) == code
    assert code_of(lambda: store.put("x", b"x")) == code


def test_another_name_than_in_the_certificate_is_refused(opened: Open, s3: S3Server) -> None:
    endpoint = f"s3.other.example:{s3.port}"
    with proxy_into(("127.0.0.1", s3.port), endpoint) as proxy:
        store = opened(place={"endpoint": endpoint}, proxy=proxy)
        assert code_of(lambda: list(store.list())) == "ca_unknown"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_named(opened: Open, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: real() + timedelta(hours=hours))
    store = opened()
    store._call = call_for_tests({}, date=lambda: datetime.now(timezone.utc) + timedelta(hours=hours))
    with pytest.raises(GoliveError) as caught:
        list(store.list())
    assert caught.value.code == "clock_skew"
    assert caught.value.details["skew_s"] == pytest.approx(-3600 * hours, abs=5)
    assert ("ahead" if hours > 0 else "behind") in caught.value.message


@pytest.mark.faults
def test_a_frozen_store_is_told_in_time_and_one_that_died_too(opened: Open) -> None:
    server = S3Server.create("frozen-bucket")
    try:
        store = opened(server, place={"bucket": "frozen-bucket"}, answer_s=2)
        store.put("x", b"x")
        server.freeze()
        started = time.monotonic()
        assert code_of(lambda: store.get("x")) == "store_timeout"
        assert time.monotonic() - started < 10
        server.thaw()
        assert store.get("x").data == b"x"
        server.stop()
        assert code_of(lambda: store.get("x")) == "unreachable"
        server.start()
        assert store.get("x").data == b"x"
    finally:
        server.remove()


def test_a_proxy_leads_only_to_the_store(opened: Open, s3: S3Server) -> None:
    endpoint = f"localhost:{s3.port}"
    with proxy_into(("127.0.0.1", s3.port), endpoint) as proxy:
        store = opened(proxy=proxy)
        big = bytes(range(256)) * 20000
        store.put("big", big)
        assert store.get("big").data == big
        port = int(proxy.rpartition(":")[2])
        for asked in (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), 5) as other:
                other.sendall(asked)
                assert b"403" in other.recv(100)
    assert code_of(lambda: store.get("big")) == "unreachable"
    with proxy_into(("127.0.0.1", free_port()), endpoint) as proxy:
        assert code_of(lambda: opened(proxy=proxy).get("big")) == "unreachable"
