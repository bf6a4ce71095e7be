# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retention on a real pgBackRest: what the plan names goes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup import pgbackrest_commands as commands
from ansible_collections.golive.cutover.plugins.module_utils._backup.expire import Wish, expire
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_verify import BAD, GOOD, read_verify
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Policy
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import Engine, must, read_info
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import Ended
from tests.integration.pgbackrest import Stanza

# Weeks and months of seconds: the whole history of a test is younger.
POLICY = Policy(pitr_days=0, weekly_days=-40, monthly_days=-40, most_share=0.8)


@pytest.fixture(scope="module")
def stanza() -> Iterator[Stanza]:
    """A full, a full with a diff and an incr, and a full with an incr: the middle chain and one child may go."""
    made = Stanza.create()
    try:
        for kind, annotations in (
            ("full", {"hold": "for the audit"}),
            ("full", {}),
            ("diff", {}),
            ("incr", {"run": "r1", "tag": "before-2.4"}),
            ("full", {}),
            ("incr", {}),
        ):
            must(made.engine, commands.backup(kind, 1, annotations), 120)
            made.segment()
        yield made
    finally:
        made.remove()


def listed(stanza: Stanza) -> list[Backup]:
    return read_info(stanza.engine).of(1)


def wish() -> Wish:
    return Wish(1, POLICY, datetime.now(timezone.utc))


def segments(stanza: Stanza) -> list[str]:
    return sorted(path.name[:24] for path in (stanza.place / "repo/archive/main").rglob("*.zst"))


def test_what_backup_annotates_is_in_the_catalogue(stanza: Stanza) -> None:
    tagged = next(one for one in listed(stanza) if one.annotations.get("run") == "r1")
    assert (tagged.kind, tagged.annotations["tag"]) == ("incr", "before-2.4")


def test_a_label_that_would_take_more_with_it_is_refused(stanza: Stanza) -> None:
    before = listed(stanza)

    def adding(arguments: Sequence[str], limit_s: float) -> Ended:
        ended = stanza.engine(arguments, limit_s)
        more = ended.output + "P00   INFO: [DRY-RUN] repo1: remove expired backup 20200101-000000F\n"
        return replace(ended, output=more) if "--dry-run" in arguments else ended

    with pytest.raises(GoliveError) as caught:
        expire(call_for_tests({}), adding, wish())
    assert caught.value.code == "plan_differs"
    assert listed(stanza) == before


def test_a_share_too_large_removes_nothing(stanza: Stanza) -> None:
    before = listed(stanza)
    with pytest.raises(GoliveError, match="more than 10%"):
        expire(call_for_tests({}), stanza.engine, replace(wish(), policy=replace(POLICY, most_share=0.1)))
    assert listed(stanza) == before


def test_quartet_whose_first_run_is_killed_midway(stanza: Stanza) -> None:
    held, middle, diff, incr, newest, last = listed(stanza)
    before = segments(stanza)
    planned = expire(call_for_tests({}, check_mode=True), stanza.engine, wish())
    assert [one.id for one in listed(stanza)] == [one.id for one in (held, middle, diff, incr, newest, last)]
    assert segments(stanza) == before
    with pytest.raises(KeyboardInterrupt):
        expire(call_for_tests({}), dying_behind_the_first(stanza), wish())
    assert [one.id for one in listed(stanza)] == [one.id for one in (held, middle, diff, newest, last)]
    assert segments(stanza) == before
    done = expire(call_for_tests({}), stanza.engine, wish())
    assert planned["removed"] == [incr.id, *done["removed"]] == [incr.id, diff.id, middle.id]
    assert [one.id for one in listed(stanza)] == [held.id, newest.id, last.id]
    assert {row["id"]: row["reasons"] for row in done["kept"]} == {
        held.id: ["held"],
        newest.id: ["anchor", "newest_full"],
        last.id: ["pitr"],
    }
    left = segments(stanza)
    assert done["wal_from"] == newest.wal_first
    # From the anchor on all, of the held one what makes it consistent, and nothing between.
    own = [name for name in left if name < str(newest.wal_first)]
    assert own == [name for name in before if str(held.wal_first) <= name <= str(held.wal_last)]
    assert [name for name in before if name >= str(newest.wal_first)] == [
        name for name in left if name >= str(newest.wal_first) and name in before
    ]
    for check_mode in (True, False):
        again = expire(call_for_tests({}, check_mode=check_mode), stanza.engine, wish())
        assert (again["changed"], again["removed"], again["wal_removed"]) == (False, [], [])
    assert planned["changed"]
    assert done["changed"]


def dying_behind_the_first(stanza: Stanza) -> Engine:
    gone: list[str] = []

    def engine(arguments: Sequence[str], limit_s: float) -> Ended:
        if "expire" in arguments and "--dry-run" not in arguments:
            if gone:
                raise KeyboardInterrupt
            gone.append("one")
        return stanza.engine(arguments, limit_s)

    return engine


def test_a_hold_is_set_and_taken_back(stanza: Stanza) -> None:
    newest = listed(stanza)[-1]
    must(stanza.engine, commands.annotate(newest.id, 1, {"hold": "why"}), 60)
    assert listed(stanza)[-1].annotations == {"hold": "why"}
    must(stanza.engine, commands.annotate(newest.id, 1, {"hold": ""}), 60)
    assert listed(stanza)[-1].annotations == {}


def test_a_wrong_passphrase_is_no_empty_repository(stanza: Stanza) -> None:
    stanza.configure("another")
    try:
        with pytest.raises(GoliveError) as caught:
            expire(call_for_tests({}), stanza.engine, wish())
        assert caught.value.code == "repository_unreadable"
        assert read_verify(0, must(stanza.engine, commands.verify(1), 60)).verdict == BAD
    finally:
        stanza.configure("only-for-this-repository")


def test_a_flipped_byte_is_found_and_named(stanza: Stanza) -> None:
    assert read_verify(0, must(stanza.engine, commands.verify(1), 60)).verdict == GOOD
    label = listed(stanza)[0].id
    file: Path = sorted((stanza.place / "repo/backup/main" / label).rglob("*.zst"))[3]
    whole = file.read_bytes()
    file.write_bytes(whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
    try:
        verified = read_verify(0, must(stanza.engine, commands.verify(1), 60))
        assert verified.of(label)[0] == BAD
        assert [name for name in verified.files if name.startswith(label)]
    finally:
        file.write_bytes(whole)


def test_backups_that_have_stopped_keep_what_is_old(stanza: Stanza) -> None:
    later = replace(wish(), now=datetime.now(timezone.utc) + timedelta(days=40))
    with pytest.raises(GoliveError, match="backups have stopped"):
        expire(call_for_tests({}), stanza.engine, later)
