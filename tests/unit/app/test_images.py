# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image builder: what a build depends on, what the manifest keeps, which names it takes."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import pytest

from tests.cluster.progress import ClusterError
from tests.images import cli, debian, postgres_backup_image, programs, recipes

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


def test_only_what_is_pinned_comes_from_the_newer_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "debian_mirror", lambda: "https://mirror.example.org/debian/")
    options = postgres_backup_image.RELEASES.options(tmp_path)
    assert f"-oDir::Etc::sourcelist={tmp_path / 'sources.list'}" in options
    lines = (tmp_path / "sources.list").read_text().splitlines()
    signed = f"deb [signed-by={debian.KEYRING}] https://mirror.example.org/debian/"
    assert lines == [f"{signed} trixie main", f"{signed} sid main"]
    rest, pinned = (tmp_path / "preferences").read_text().split("\n\n")
    assert rest.splitlines() == ["Package: *", "Pin: release n=sid", "Pin-Priority: -1"]
    assert pinned.splitlines() == ["Package: pgbackrest libxml2-16", "Pin: release n=sid", "Pin-Priority: 990"]


def test_a_machine_without_debian_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "http://a.example.org/debian/ bookworm-updates\nhttp://b.example.org/debian/ bookworm\n"
    monkeypatch.setattr(debian, "run", lambda command: listed)
    for system, found in (("debian", "http://b.example.org/debian/"), ("ubuntu", None)):
        release = {"ID": system, "VERSION_CODENAME": "bookworm"}
        monkeypatch.setattr(platform, "freedesktop_os_release", lambda release=release: release)
        if found:
            assert debian.debian_mirror() == found
        else:
            with pytest.raises(ClusterError, match="no mirror of Debian"):
                debian.debian_mirror()


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["postgress"])
    assert stopped.value.code == 2
    known = (
        "notes, notes-sqlite, postgres, postgres-backup, pgbouncer, httpbin, s3, kube-state-stand-in, python, exporter,"
        " prometheus, alertmanager, postgres-exporter, blackbox-exporter, load"
    )
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
