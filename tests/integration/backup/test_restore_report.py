# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of reports in a real store: whole after many writers at once, and a changed or missing one is named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_report import append_report, read_reports
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.integration.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server


@pytest.fixture
def store(s3: S3Server, bucket: str) -> Iterator[Store]:
    place = Place(s3.endpoint, bucket, REGION, "/production/shop")
    with Store(call_for_tests({}), place, Keys(ACCESS_KEY, SECRET_KEY), ca=s3.ca.read_text()) as opened:
        yield opened


def report(number: int) -> dict[str, object]:
    return {"name": f"drill-{number}", "started": "2026-11-30T01:00:00Z", "level": 6}


def test_reports_come_back_newest_first(store: Store) -> None:
    assert list(read_reports(store)) == []
    for number in range(3):
        append_report(store, report(number))
    assert [one["name"] for one in read_reports(store)] == ["drill-2", "drill-1", "drill-0"]


def test_writers_at_once_make_one_chain(store: Store) -> None:
    with ThreadPoolExecutor(3) as pool:
        places = list(pool.map(lambda number: append_report(store, report(number)), range(3)))
    assert sorted(one["name"] for one in read_reports(store)) == ["drill-0", "drill-1", "drill-2"]
    # What a loser has written first is not left.
    assert {entry.name for entry in store.list("golive/reports/")} == {
        "golive/reports/head.json",
        *(place["object"] for place in places),
    }


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_report_that_somebody_touched_is_named(store: Store, harm: str) -> None:
    places = [append_report(store, report(number)) for number in range(3)]
    if harm == "changed":
        body = store.get(places[1]["object"]).data
        store.put(places[1]["object"], body.replace(b'"level": 6', b'"level": 4'))
    else:
        store.delete(places[1]["object"])
    found = read_reports(store)
    assert next(found)["name"] == "drill-2"
    with pytest.raises(GoliveError) as error:
        next(found)
    assert error.value.code == "report_changed"
    assert places[1]["object"] in error.value.message
