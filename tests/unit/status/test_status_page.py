# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page from its samples: counted rightly, escaped, told in words, and from nowhere but its file."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform
from ansible_collections.golive.cutover.plugins.modules import status_page
from tests.unit.report.test_page import Reader

START = datetime(2026, 11, 1, 23, 58, tzinfo=timezone.utc)
Write = Callable[..., dict[str, Any]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """The verb so many minutes after the start, with samples by name."""

    def run(minutes: float = 0, check: bool = False, **options: Any) -> dict[str, Any]:
        samples = [{"name": name, "ok": ok} for name, ok in options.pop("samples", {}).items()]
        given = {"output": str(tmp_path / "status"), "title": "Shop", "incidents": None, "days": 90, "samples": samples}
        moment = START + timedelta(minutes=minutes)
        return perform(
            status_page.run, call_for_tests({**given, **options}, check, diff_mode=True, date=lambda: moment)
        )

    return run


def read(result: dict[str, Any]) -> Reader:
    reader = Reader()
    reader.feed(Path(result["page"]).read_text())
    reader.close()
    assert reader.open == []
    return reader


def test_quartet(write: Write, tmp_path: Path) -> None:
    assert write(samples={"shop": True}, check=True)["changed"] is True
    assert not (tmp_path / "status").exists()
    assert write(samples={"shop": True})["changed"] is True
    for check in (True, False):
        again = write(5, check=check)
        assert (again["changed"], again["diff"]) == (False, [])
    assert write(5, title="Other")["changed"] is True


def test_looks_are_counted_by_day_and_outages_kept(write: Write) -> None:
    for minute, ok in enumerate([True, False, False, True]):
        result = write(minute, samples={"shop": ok})
    assert result["components"] == [{"name": "shop", "up": True, "uptime": 50.0, "last": "2026-11-02T00:01:00Z"}]
    data = json.loads(Path(result["page"]).with_name("status.json").read_text())
    (shop,) = data["components"]
    assert shop["days"][-2:] == [
        {"day": "2026-11-01", "asked": 2, "good": 1},
        {"day": "2026-11-02", "asked": 2, "good": 1},
    ]
    assert shop["outages"] == [{"began": "2026-11-01T23:59:00Z", "ended": "2026-11-02T00:01:00Z"}]
    assert "from 2026-11-01 23:59 UTC until 2026-11-02 00:01 UTC" in read(result).text


def test_one_bad_look_in_a_million_is_not_all(write: Write, tmp_path: Path) -> None:
    write(samples={"shop": True})
    place = tmp_path / "status" / "history.json"
    history = json.loads(place.read_text())
    history["components"]["shop"]["days"]["2026-11-01"] = {"asked": 1_000_000, "good": 999_999}
    place.write_text(json.dumps(history))
    assert write(samples={"shop": True})["components"][0]["uptime"] == 99.999


def test_what_is_old_goes(write: Write, tmp_path: Path) -> None:
    write(samples={"shop": False}, days=3)
    write(1, samples={"shop": True}, days=3)
    result = write(60 * 24 * 5, samples={"shop": True}, days=3)
    assert result["components"][0]["uptime"] == 100.0
    kept = json.loads((tmp_path / "status" / "history.json").read_text())["components"]["shop"]
    assert (list(kept["days"]), kept["outages"]) == (["2026-11-06"], [])


def test_the_state_is_told_in_words(write: Write) -> None:
    good = read(write(samples={"shop": True, "search": True}))
    assert "Everything works" in good.text
    bad = read(write(1, samples={"shop": True, "search": False}))
    assert "Not working: search" in bad.text
    assert "does not work" in bad.text
    labels = [value for name, value in bad.attributes if name == "aria-label"]
    assert any(value.startswith("search by day") and "50 %" in value for value in labels)
    assert ("lang", "en") in bad.attributes
    assert {"h1", "h2", "main", "title"} <= bad.names


def test_nothing_comes_from_outside_and_all_is_escaped(write: Write) -> None:
    name = "<script>alert(1)</script>\"'&"
    result = write(samples={name: False}, title=name)
    text, reader = Path(result["page"]).read_text(), read(result)
    assert "script" not in reader.names
    assert name in reader.text
    assert not [value for key, value in reader.attributes if key == "src" or value.startswith(("http", "//"))]
    assert [value for key, value in reader.attributes if key == "href"] == ["status.json"]
    assert "default-src 'none'" in text.replace("&#x27;", "'")


def test_incidents_are_listed_without_what_is_not_for_users(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "incidents"
    folder.mkdir()
    known = {
        "severity": "P1",
        "summary": "no <pay>",
        "status": "open",
        "opened": "2026-11-01T10:00:00Z",
        "closed": None,
    }
    (folder / "a.json").write_text(json.dumps({**known, "entries": [{"text": "inside only"}]}))
    (folder / "b.json").write_text("{")
    result = write(samples={"shop": True}, incidents=str(folder))
    text = read(result).text
    assert "There is a known incident" in text
    assert "P1 no <pay>" in text
    assert "inside only" not in Path(result["page"]).read_text()
    assert write(5, incidents=str(folder))["changed"] is False


def test_many_writers_lose_no_look(write: Write) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(samples={f"c{number % 4}": True}), range(16)))
    data = json.loads(Path(write()["page"]).with_name("status.json").read_text())
    assert [one["days"][-1]["asked"] for one in data["components"]] == [4, 4, 4, 4]


def test_a_web_server_may_read_them(write: Write) -> None:
    page = Path(write(samples={"shop": True})["page"])
    for name in ("index.html", "status.json", "history.json"):
        assert stat.S_IMODE(page.with_name(name).stat().st_mode) & 0o044 == 0o044


@pytest.mark.parametrize(("options", "code"), [({"days": 0}, "invalid"), ({"output": "/proc/x"}, "not_writable")])
def test_bad_input_is_one_clear_error(write: Write, options: dict[str, Any], code: str) -> None:
    assert write(samples={"shop": True}, **options)["code"] == code


def test_a_history_of_somebody_else_is_left_alone(write: Write, tmp_path: Path) -> None:
    write(samples={"shop": True})
    (tmp_path / "status" / "history.json").write_text("[1]")
    assert write(samples={"shop": True})["code"] == "file_invalid"
    assert (tmp_path / "status" / "history.json").read_text() == "[1]"
