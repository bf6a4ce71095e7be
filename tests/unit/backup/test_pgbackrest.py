# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pgBackRest says, as a real one has said it: the texts of this folder were written by version 2.45."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import parse_info, plain_reason
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_verify import (
    BAD,
    GOOD,
    UNKNOWN,
    read_verify,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import failed, must, read_info
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import Ended

SAID = Path(__file__).parent / "pgbackrest"


def said(name: str) -> str:
    return (SAID / name).read_text(encoding="utf-8")


def test_a_chain_of_three() -> None:
    info = parse_info(said("three.json"))
    full, diff, incr = info.of(1)
    assert full.record() == {
        "id": "20261130-092132F",
        "engine": "pgbackrest",
        "kind": "full",
        "parent": None,
        "started": "2026-11-30T09:21:32Z",
        "stopped": "2026-11-30T09:21:34Z",
        "start_lsn": "0/2000028",
        "stop_lsn": "0/2000100",
        "timeline": 1,
        "wal_first": "000000010000000000000002",
        "wal_last": "000000010000000000000002",
        "bytes": 2834768,
        "repo": 1,
        "pg_major": 15,
        "error": False,
        "run": "r1",
        "tag": "before-2.4",
        "hold": None,
        "verified": None,
    }
    assert (diff.parent, incr.parent) == (full.id, diff.id)
    assert incr.references == (full.id, diff.id)
    assert incr.archive_id == "15-1"
    assert not info.locked


def test_no_backup_is_an_empty_list() -> None:
    assert parse_info(said("none.json")).of(1) == []


def test_the_lock_of_a_backup_at_work_is_seen() -> None:
    assert parse_info(said("locked.json")).locked


@pytest.mark.parametrize("name", ["wrong-key.json", "damaged-info.json"])
def test_what_cannot_be_read_is_no_empty_list_and_tells_nothing_of_its_content(name: str) -> None:
    info = parse_info(said(name))
    with pytest.raises(GoliveError) as caught:
        info.of(1)
    assert caught.value.code == "repository_unreadable"
    assert caught.value.message.endswith("[FormatError] unable to load info file.")


def test_control_characters_in_a_message_do_not_hide_the_rest() -> None:
    assert len(parse_info(said("three.json").replace("ok", "o\x05k")).of(1)) == 3


def test_a_repository_that_is_not_set_up() -> None:
    with pytest.raises(GoliveError) as caught:
        parse_info(said("three.json")).of(2)
    assert caught.value.code == "no_repository"


def test_a_missing_stanza_is_told_as_one() -> None:
    text = json.loads(said("none.json"))
    text[0]["repo"][0]["status"] = {"code": 1, "message": "missing stanza path"}
    with pytest.raises(GoliveError) as caught:
        parse_info(json.dumps(text)).of(1)
    assert caught.value.code == "no_stanza"


@pytest.mark.parametrize("text", ["", "[{}]", "{}", "[1]", "null", "ERROR: [032]: key-pass=abc", '[{"name": "main"}]'])
def test_anything_else_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(GoliveError) as caught:
        parse_info(text)
    assert caught.value.code == "info_unreadable"
    assert "abc" not in str(caught.value)


def test_every_file_was_read_and_good() -> None:
    verified = read_verify(0, said("verify-good.txt"))
    assert verified.verdict == GOOD
    assert verified.of("20261130-092217F") == (GOOD, "965 files have the checksums of the manifest")
    assert verified.of("20200101-000000F")[0] == UNKNOWN


def test_damages_are_named_although_the_exit_code_is_0() -> None:
    verified = read_verify(0, said("verify-damaged.txt"))
    assert verified.verdict == BAD
    assert verified.reason == "20261130-092217F: missing 1, checksum invalid 1; 15-1: other 2"
    assert verified.of("20261130-092217F")[0] == BAD
    assert verified.of("20261130-092231F")[0] == GOOD
    assert verified.of("20261130-092238F")[0] == UNKNOWN
    assert verified.files == (
        "15-1/0000000100000000/000000010000000000000002-ec7b64890bda71f84eb760c822beb1c236bab952.zst",
        "15-1/0000000100000000/000000010000000000000014-2747f2f2d33d9e48b873426c5e6406ead3eb0852.zst",
        "20261130-092217F/pg_data/base/1/113.zst",
        "20261130-092217F/pg_data/base/1/1247.zst",
    )


def test_a_backup_whose_manifests_are_damaged_is_bad_with_no_file_read() -> None:
    assert read_verify(0, said("verify-manifest.txt")).of("20261130-092217F")[0] == BAD


@pytest.mark.parametrize("name", ["verify-info.txt", "verify-wrong-key.txt"])
def test_no_usable_info_file_is_bad_for_every_backup(name: str) -> None:
    verified = read_verify(0, said(name))
    assert verified.verdict == BAD
    assert verified.of("20261130-092217F")[0] == BAD


@pytest.mark.parametrize("text", ["", "stanza: main\n", "stanza: main\nstatus: ok\n", "all is fine\n"])
def test_what_is_not_understood_is_not_good(text: str) -> None:
    assert read_verify(0, text).verdict == UNKNOWN
    assert read_verify(0, text).of("20261130-092217F")[0] == UNKNOWN


def test_each_line_that_is_cut_away_takes_the_verdict_with_it() -> None:
    lines = said("verify-good.txt").splitlines()
    for end in range(len(lines)):
        cut = read_verify(0, "\n".join(lines[:end]))
        whole = "status: ok" in "\n".join(lines[:end]) and any("archiveId" in line for line in lines[:end])
        assert (cut.verdict == GOOD) <= whole


def test_an_exit_code_is_never_good() -> None:
    assert read_verify(1, said("verify-good.txt")).verdict == UNKNOWN


def test_the_loser_of_two_is_told_so() -> None:
    words = "ERROR: [050]: unable to acquire lock on file '/tmp/pgbackrest/main-backup.lock': Resource temporarily"
    assert failed(["pgbackrest", "--stanza=main", "backup"], 50, words).code == "backup_locked"


def test_a_failure_tells_its_reason_without_what_was_read() -> None:
    error = failed(["pgbackrest", "--stanza=main", "expire"], 29, "ERROR: [029]: invalid line 'cipher-pass=abc'")
    assert error.message == "Running pgbackrest expire failed: [029]: invalid line."
    assert plain_reason("") == "no reason given"


def test_must_gives_the_output_of_what_ended_well() -> None:
    assert must(lambda _arguments, _limit: Ended(0, "text", ""), ["pgbackrest"], 1) == "text"
    assert len(read_info(lambda _arguments, _limit: Ended(0, said("three.json"), "")).backups) == 3
