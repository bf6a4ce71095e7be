# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps in a real S3 server: they come back as they were, damage is found, what goes is what the plan names."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup import store_stream
from ansible_collections.golive.cutover.plugins.module_utils._backup.dump_store import (
    Wish,
    expired,
    fetched,
    stored,
    verified,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_folder import (
    DUMP,
    FORMAT,
    DumpFolder,
    create_file,
    write_manifest,
)
from ansible_collections.golive.cutover.plugins.modules import db_dump
from tests.integration.conftest import Database
from tests.integration.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

PASSPHRASE = "the phrase of the shop"
QUARTET = (True, False, True, False)
CHANGES = [True, True, False, False]


@dataclass
class Kept:
    """A repository, and a directory of dumps on this machine."""

    store: Store
    files: Path
    directory: Path

    def put(self, name: str, check: bool = False, passphrase: str = PASSPHRASE) -> dict[str, Any]:
        return stored(asked(check), self.store, self.wish(name), passphrase)

    def fetch(self, name: str, directory: Path, check: bool = False, passphrase: str = PASSPHRASE) -> dict[str, Any]:
        return fetched(asked(check), self.store, self.wish(name, directory), passphrase)

    def verify(self, name: str = "") -> dict[str, Any]:
        return verified(asked(False), self.store, self.wish(name), PASSPHRASE)

    def wish(self, name: str, directory: Path | None = None, **more: Any) -> Wish:
        params = {"state": "", "directory": str(directory or self.directory), "name": name, "wait": 5.0}
        return Wish.of({**params, "hold": [], "retention": None, **more})

    def make(self, name: str, size: int = 1000) -> None:
        """A dump as far as this code looks at one: a file that fits its manifest."""
        folder, data = DumpFolder(str(self.directory)), secrets.token_bytes(size)
        with folder.making(name) as made:
            with create_file(made / DUMP) as file:
                file.write(data)
            sha256 = hashlib.sha256(data).hexdigest()
            write_manifest(made, {"format": FORMAT, "name": name, "bytes": size, "sha256": sha256})

    def objects(self) -> dict[str, Path]:
        """Files of the store by the end of their names."""
        return {path.name.split(".", 1)[-1]: path for path in sorted(self.files.rglob("golive/dumps/*/*"))}


def asked(check: bool, now: datetime | None = None) -> Call:
    call = Call(params={}, check_mode=check, diff_mode=True)
    return replace(call, date=lambda: now) if now else call


@pytest.fixture
def kept(s3: S3Server, bucket: str, tmp_path: Path) -> Iterator[Kept]:
    directory = tmp_path / "dumps"
    directory.mkdir(mode=0o700)
    keys = Keys(ACCESS_KEY, SECRET_KEY)
    with Store(asked(False), Place(s3.endpoint, bucket, REGION, "/x"), keys, ca=s3.tls.ca) as store:
        yield Kept(store, s3.folder(bucket), directory)


def code(work: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(GoliveError) as caught:
        work(*arguments, **options)
    assert PASSPHRASE not in str(caught.value)
    return caught.value.code


def test_a_real_dump_goes_and_comes_back(kept: Kept, database: Database, tmp_path: Path) -> None:
    database.query("CREATE TABLE notes (id int PRIMARY KEY, body text)")
    database.query("INSERT INTO notes SELECT i, md5(i::text) FROM generate_series(1, 500) i")
    defaults = {key: option.get("default") for key, option in db_dump.SPEC["argument_spec"].items()}
    own = {"directory": str(kept.directory), "name": "d1", "programs": str(database.server.bin)}
    taken = db_dump.run(
        Call(params={**defaults, **own, "postgresql": database.options}, check_mode=False, diff_mode=False)
    )

    runs = [kept.put("d1", check) for check in QUARTET]
    assert [one["changed"] for one in runs] == CHANGES
    assert runs[0]["diff"] == runs[1]["diff"]
    assert "diff" not in runs[2]
    assert runs[3]["manifest"] == taken["manifest"]
    there = b"".join(path.read_bytes() for path in kept.files.rglob("*") if path.is_file())
    assert b"notes" not in there
    assert PASSPHRASE.encode() not in there

    assert kept.verify("d1") == {"changed": False, "verified": ["d1"]}
    back = tmp_path / "back"
    runs = [kept.fetch("d1", back, check) for check in QUARTET]
    assert [one["changed"] for one in runs] == CHANGES
    assert runs[0]["diff"] == runs[1]["diff"]
    assert (back / "d1" / DUMP).read_bytes() == (kept.directory / "d1" / DUMP).read_bytes()
    assert (back / "d1" / DUMP).stat().st_mode & 0o077 == 0
    # The verb that takes dumps knows it for its own.
    again = {**defaults, **own, "directory": str(back), "postgresql": database.options}
    assert not db_dump.run(Call(params=again, check_mode=False, diff_mode=False))["changed"]


def test_one_of_many_parts_is_streamed(kept: Kept, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(store_stream, "_PART", 5 << 20)
    monkeypatch.setattr(store_stream, "_RANGE", 3_000_001)
    kept.make("large", 17 << 20)
    assert kept.put("large")["changed"]
    assert kept.store.uploads() == ()
    kept.fetch("large", tmp_path / "back")
    assert (tmp_path / "back" / "large" / DUMP).read_bytes() == (kept.directory / "large" / DUMP).read_bytes()


def test_every_damage_is_found_and_nothing_is_left(kept: Kept, tmp_path: Path) -> None:
    kept.make("d1", 200_000)
    kept.put("d1")
    back = tmp_path / "back"
    for part, path in kept.objects().items():
        good = path.read_bytes()
        flipped = good[: len(good) // 2] + bytes([good[len(good) // 2] ^ 1]) + good[len(good) // 2 + 1 :]
        # Each look at a dump takes a second on purpose.
        for bad, look in ((flipped, kept.verify), (good[:-1], partial(kept.fetch, directory=back))):
            path.write_bytes(bad)
            assert code(look, "d1") in ("dump_damaged", "seal_broken"), part
        assert not list(back.glob("[!.]*"))
        path.unlink()
        assert code(kept.verify, "d1") == ("not_found" if part == "age" else "dump_damaged")
        path.write_bytes(good)
    assert kept.verify("d1")["changed"] is False


def test_another_passphrase_or_the_parts_of_another_dump_do_not_pass(kept: Kept, tmp_path: Path) -> None:
    for name in ("d1", "d2"):
        kept.make(name)
        kept.put(name)
    assert code(kept.fetch, "d1", tmp_path / "back", passphrase="another") == "seal_broken"
    one, other = (sorted((kept.files / "x/golive/dumps" / name).glob("*.age")) for name in ("d1", "d2"))
    for mine, its in zip(one, other, strict=True):
        good = mine.read_bytes()
        mine.write_bytes(its.read_bytes())
        with pytest.raises(GoliveError) as caught:
            kept.verify()
        assert caught.value.code in ("dump_damaged", "seal_broken"), mine.name
        assert caught.value.details == {"verified": ["d2"], "damaged": ["d1"]}
        mine.write_bytes(good)
    assert sorted(kept.verify()["verified"]) == ["d1", "d2"]


def test_another_dump_of_the_same_name_is_refused_both_ways(kept: Kept, tmp_path: Path) -> None:
    kept.make("d1")
    kept.put("d1")
    other = replace(kept, directory=tmp_path / "other")
    other.directory.mkdir(mode=0o700)
    other.make("d1")
    assert code(other.put, "d1") == "name_taken"
    assert code(kept.fetch, "d1", other.directory) == "name_taken"
    assert code(kept.fetch, "d9", tmp_path / "back") == "not_found"
    assert code(kept.put, "d9") == "not_found"
    assert kept.put("d9", check=True) == {"changed": True, "name": "d9", "manifest": None}
    (kept.directory / "d1" / DUMP).write_bytes(b"spoiled")
    assert code(kept.put, "d1") == "dump_damaged"


def test_a_failed_one_leaves_no_dump(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.make("d1", 300_000)
    for point in ("put_part", "end_upload", "get_range", "put", "put_if_none"):
        with monkeypatch.context() as patched:
            patched.setattr(Store, point, refuse)
            assert code(kept.put, "d1") == "store_full"
        assert not [path for path in kept.files.rglob("golive/dumps/*/*") if path.is_file()], point
        assert kept.store.uploads() == ()
    assert kept.put("d1")["changed"]


def refuse(*_arguments: Any, **_options: Any) -> Any:
    raise GoliveError("store_full", "no room")


def test_the_plan_decides_what_goes(kept: Kept) -> None:
    for name in ("a", "b", "c", "d"):
        kept.make(name)
        kept.put(name)
    # What a killed run leaves: objects without a key, and an upload without an end.
    kept.store.put("golive/dumps/torn/0123456789abcdef.dump.age", b"x")
    begun = kept.store.begin_upload("golive/dumps/begun/0123456789abcdef.dump.age")
    kept.store.put_part("golive/dumps/begun/0123456789abcdef.dump.age", begun, 1, b"x")
    rules = {"pitr": 1.0, "weekly": 2.0, "monthly": 2.0, "most_share": 1.0, "alarm_hours": 1e6}
    wish = kept.wish("", retention=rules, hold=["b"])
    today, later = (datetime.now(timezone.utc) + timedelta(days=days) for days in (0, 100))

    young = expired(asked(False, today), kept.store, wish)
    assert (young["changed"], young["removed"], young["leftovers"]) == (False, [], [])
    runs = [expired(asked(check, later), kept.store, wish) for check in QUARTET]
    assert [one["changed"] for one in runs] == CHANGES
    assert runs[0]["removed"] == runs[1]["removed"] == ["c", "a"]
    assert (
        runs[0]["leftovers"]
        == runs[1]["leftovers"]
        == [
            "golive/dumps/begun/0123456789abcdef.dump.age",
            "golive/dumps/torn/0123456789abcdef.dump.age",
        ]
    )
    assert runs[0]["diff"] == runs[1]["diff"]
    assert [one["name"] for one in runs[3]["kept"]] == ["b", "d"]
    assert {path.parent.name for path in kept.files.rglob("golive/dumps/*/*") if path.is_file()} == {"b", "d"}
    assert kept.store.uploads() == ()
    kept.verify("b")
    refused = kept.wish("", retention={**rules, "alarm_hours": 26.0})
    assert code(expired, asked(False, later), kept.store, refused) == "retention_refused"


def test_what_is_shown_is_no_secret(kept: Kept) -> None:
    kept.make("d1")
    assert "AGE-SECRET-KEY" not in json.dumps(kept.put("d1"))
