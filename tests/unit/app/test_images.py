# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image builder: what a build depends on, what the manifest keeps, which names it takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.images import cli, programs, recipes

TESTS = Path(__file__).resolve().parents[2]


def program(folder: Path) -> programs.Program:
    (folder / "main.go").write_text("package main")
    (folder / "go.mod").write_text("module x")
    return programs.Program("x", source=folder)


def test_the_key_follows_sources_and_not_tests(tmp_path: Path) -> None:
    made = program(tmp_path)
    before = made.key
    (tmp_path / "main_test.go").write_text("package main")
    assert made.key == before
    (tmp_path / "main.go").write_text("package main // changed")
    assert made.key != before


def test_a_file_stands_in_place_of_another_one(tmp_path: Path) -> None:
    made = program(tmp_path)
    over = tmp_path / "over"
    over.mkdir()
    (over / "main.go").write_text("package main // over")
    (over / "go.sum").touch()
    other = programs.Program("x", source=tmp_path, over=over)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in other.sources()) == [
        "go.mod",
        "over/go.sum",
        "over/main.go",
    ]
    assert made.key == program(tmp_path).key != other.key


def test_a_partial_build_keeps_the_rest_of_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLIVE_CACHE", str(tmp_path))
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).touch()
    cli._record({"p:15": {"name": "postgres", "archive": str(folder / "a")}}, ["postgres"])
    cli._record({"h:1": {"name": "httpbin", "archive": str(folder / "b")}}, ["httpbin"])
    known = json.loads(cli.manifest_path().read_text())
    assert sorted(known["images"]) == ["h:1", "p:15"]
    assert (known["postgres"], known["foreign"]) == ("p:15", "h:1")
    (folder / "a").unlink()
    cli._record({"h:2": {"name": "httpbin", "archive": str(folder / "b")}}, ["httpbin"])
    known = json.loads(cli.manifest_path().read_text())
    assert sorted(known["images"]) == ["h:2"]
    assert known["postgres"] is None


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["postgress"])
    assert stopped.value.code == 2
    known = "notes, notes-sqlite, postgres, postgres-backup, httpbin, s3, python, prometheus, load"
    assert f"postgress; known: {known}" in capsys.readouterr().err


def test_every_fault_of_a_release_is_one_the_app_knows() -> None:
    known = set(re.findall(r'"(\w+)"', re.search(r"faultNames = .*", (TESTS / "app" / "fault.go").read_text())[0]))  # type: ignore[index] # the line exists
    used = {settings["APP_FAULT"] for settings in recipes.NOTES_RELEASES.values() if "APP_FAULT" in settings}
    assert used == known


def test_migrations_are_ordered_and_named_by_the_app() -> None:
    names = sorted(path.name for path in (TESTS / "app" / "migrations").glob("*.sql"))
    assert names == ["0001_create_notes.sql", "0002_add_tag.sql"]
    source = (TESTS / "app" / "store.go").read_text()
    assert all(name in source for name in names)
