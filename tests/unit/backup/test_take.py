# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is believed of a backup that was taken, and what the options may say; no cluster behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_mark import hold, verify
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_take import believed, of_run
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_wish import Wish, wish_from
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Archive, Info, parse_info
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Policy
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import Ended
from ansible_collections.golive.cutover.plugins.modules.pg_backup import SPEC

SAID = Path(__file__).parent / "pgbackrest"
OPTIONS: dict[str, Any] = {
    **{name: option.get("default") for name, option in SPEC["argument_spec"].items()},
    "namespace": "shop",
    "app": "shop",
}


def listed() -> Info:
    return parse_info((SAID / "three.json").read_text(encoding="utf-8"))


def wish(**options: Any) -> Wish:
    return wish_from({**OPTIONS, **options})


def test_the_backup_of_a_run_is_found_by_its_name() -> None:
    found = of_run(listed(), wish(run="r1"))
    assert found is not None
    assert found.id == "20261130-092132F"
    assert of_run(listed(), wish(run="r2")) is None
    assert of_run(listed(), wish()) is None


def test_what_the_archive_reaches_is_believed() -> None:
    info = listed()
    assert [believed(info, one).id for one in info.backups] == [one.id for one in info.backups]


@pytest.mark.parametrize(
    "archives",
    [
        (),
        (Archive("15-1", 1, None, None),),
        (Archive("15-1", 1, "000000010000000000000003", "00000001000000000000000F"),),
        (Archive("15-1", 1, "000000010000000000000001", "000000010000000000000001"),),
        (Archive("15-1", 2, "000000010000000000000001", "00000001000000000000000F"),),
        (Archive("16-2", 1, "000000010000000000000001", "00000001000000000000000F"),),
    ],
)
def test_without_its_wal_a_completed_backup_is_a_failure(archives: tuple[Archive, ...]) -> None:
    info = replace(listed(), archives=archives)
    with pytest.raises(GoliveError) as caught:
        believed(info, info.backups[0])
    assert caught.value.code == "wal_missing"


def test_bad_pages_are_a_failure() -> None:
    info = listed()
    with pytest.raises(GoliveError) as caught:
        believed(info, replace(info.backups[0], error=True))
    assert caught.value.code == "pages_damaged"


@pytest.mark.parametrize("text", ["a=b", "two\nlines", "", "$(id)", "x" * 129, "-flag"])
def test_what_no_annotation_can_hold_is_refused(text: str) -> None:
    with pytest.raises(GoliveError) as caught:
        wish(run=text)
    assert caught.value.code == "invalid"


def test_retention_of_the_options() -> None:
    assert wish().policy == Policy()
    rules = {"pitr": 1, "weekly": 2, "monthly": 3, "most_share": 0.5, "alarm_hours": 4}
    assert wish(retention=rules).policy.weekly_days == 2


class Repository:
    """An engine that lists the same, and keeps what is asked."""

    def __init__(self, verified: str = "verify-good.txt", deaf: bool = False) -> None:
        self.asked: list[str] = []
        self.info = (SAID / "three.json").read_text(encoding="utf-8").replace("20261130-092132F", "20261130-092217F")
        self.verified = verified
        self.deaf = deaf

    def __call__(self, arguments: Sequence[str], _limit_s: float) -> Ended:
        self.asked.append(" ".join(arguments))
        if "verify" in arguments:
            return Ended(0, (SAID / self.verified).read_text(encoding="utf-8"), "")
        if "annotate" in arguments and not self.deaf:
            texts = [one.removeprefix("--annotation=") for one in arguments if one.startswith("--annotation=")]
            pairs = dict(one.split("=", 1) for one in texts)
            inside = ", ".join(f'"{name}": "{text}"' for name, text in pairs.items() if text)
            self.info = self.info.replace('"run": "r1"', f'"run": "r1"{", " if inside else ""}{inside}')
        return Ended(0, self.info if "info" in arguments else "", "")

    @property
    def changes(self) -> list[str]:
        return [one for one in self.asked if "annotate" in one]


def test_check_mode_marks_nothing() -> None:
    engine = Repository()
    call = call_for_tests({}, check_mode=True)
    assert hold(call, engine, wish(state="held", backup="20261130-092217F"))["changed"]
    assert verify(call, engine, wish(state="verified", backup="20261130-092217F"))["changed"]
    assert engine.changes == []


def test_a_mark_is_believed_only_when_it_is_listed() -> None:
    asked = wish(state="held", backup="20261130-092217F")
    assert hold(call_for_tests({}), Repository(), asked)["backup"]["hold"] == "held"
    with pytest.raises(GoliveError) as caught:
        hold(call_for_tests({}), Repository(deaf=True), asked)
    assert caught.value.code == "not_written"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("verify-damaged.txt", "backup_damaged"),
        ("verify-manifest.txt", "backup_damaged"),
        ("verify-info.txt", "backup_damaged"),
        ("verify-wrong-key.txt", "backup_damaged"),
        ("none.json", "verify_unclear"),
    ],
)
def test_no_level_for_what_is_damaged_or_unclear(said: str, code: str) -> None:
    engine = Repository(said)
    with pytest.raises(GoliveError) as caught:
        verify(call_for_tests({}), engine, wish(state="verified", backup="20261130-092217F"))
    assert caught.value.code == code
    assert engine.changes == []


def test_a_higher_level_is_not_overwritten_and_an_old_record_is_dated_anew() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
    for record, changed in (
        ("L6 2026-01-01T00:00:00Z", False),
        ("L1 2026-11-30T00:00:00Z", False),
        ("L1 2026-11-28T00:00:00Z", True),
        ("L1 unknown", True),
        ("", True),
    ):
        engine = Repository()
        engine.info = engine.info.replace('"run": "r1"', f'"run": "r1", "verified": "{record}"')
        call = call_for_tests({}, check_mode=True, date=lambda: now)
        assert verify(call, engine, wish(state="verified", backup="20261130-092217F"))["changed"] is changed
