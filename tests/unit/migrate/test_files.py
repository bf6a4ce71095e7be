# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, texts, checksums and directives of migration files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_native import read_directory
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import read_file


def refused(path: Path) -> GoliveError:
    with pytest.raises(GoliveError) as caught:
        read_directory(str(path))
    return caught.value


def test_numbers_and_timestamps_are_ordered_by_value(tmp_path: Path) -> None:
    for name in ("10_b.sql", "9_a.sql", "20261124131500_c.sql", "README.md", "notes.txt"):
        tmp_path.joinpath(name).write_text("SELECT 1;")
    found = read_directory(str(tmp_path))
    assert [(one.version, one.name, one.down) for one in found] == [
        ("9", "a", None),
        ("10", "b", None),
        ("20261124131500", "c", None),
    ]


def test_a_down_script_has_its_own_checksum(tmp_path: Path) -> None:
    tmp_path.joinpath("0001_a.sql").write_text("CREATE TABLE t (a int);")
    tmp_path.joinpath("0001_a.down.sql").write_text("DROP TABLE t;")
    (found,) = read_directory(str(tmp_path))
    assert found.down is not None
    assert found.down.text == "DROP TABLE t;"
    assert found.down.checksum != found.up.checksum


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["create.sql"], "create.sql"),
        (["V1__create.sql"], "V1__create.sql"),
        (["1_a.SQL"], "1_a.SQL"),
        (["1_a.up.sql"], "1_a.up.sql"),
        (["1_a.sql", "01_b.sql"], "same version"),
        (["1_a.down.sql"], "not there"),
        (["1_a.sql", "1_b.down.sql"], "not there"),
        (["1234567890123456789_a.sql"], "form"),
    ],
)
def test_names_that_cannot_be_ordered(tmp_path: Path, names: list[str], what: str) -> None:
    for name in names:
        tmp_path.joinpath(name).write_text("SELECT 1;")
    error = refused(tmp_path)
    assert error.code == "files_invalid"
    assert what in error.message


@given(lines=st.lists(st.sampled_from(["SELECT 1;", "", "-- note", "SELECT 'a", "b';"]), max_size=6))
def test_line_ends_and_byte_order_mark_keep_the_checksum(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = tmp_path_factory.mktemp("files") / "1_a.sql"
    text = "SELECT 0;\n" + "\n".join(lines) + "\nSELECT '';"
    forms = [text.encode(), text.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + text.encode()]
    seen = []
    for form in forms:
        file.write_bytes(form)
        try:
            script = read_file(file)
        except GoliveError as error:
            seen.append((error.code, error.message))
            continue
        seen.append((script.checksum, script.text))
    assert len(set(seen)) == 1


def test_the_raw_checksum_sees_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "1_a.sql"
    file.write_bytes(b"SELECT 1;\n")
    first = read_file(file)
    file.write_bytes(b"SELECT 1;\r\n")
    second = read_file(file)
    assert first.checksum == second.checksum
    assert first.checksum_raw != second.checksum_raw


def test_directives_at_the_top(tmp_path: Path) -> None:
    file = tmp_path / "1_a.sql"
    file.write_text("-- a note\n--golive: lock_timeout 500ms\n\n-- golive: statement_timeout=1.5min\nSELECT 1;")
    assert read_file(file).directives.settings == {"lock_timeout": 0.5, "statement_timeout": 90.0}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("-- golive: autocomit\nSELECT 1;", 1),
        ("-- golive: lock_timeout soon\nSELECT 1;", 1),
        ("-- note\n-- golive: lock_timeout 5 days\nSELECT 1;", 2),
        ("-- golive:\nSELECT 1;", 1),
        ("SELECT 1;\n-- golive: lock_timeout 5s\n", 2),
    ],
)
def test_unknown_and_late_directives_are_errors(tmp_path: Path, text: str, line: int) -> None:
    tmp_path.joinpath("1_a.sql").write_text(text)
    error = refused(tmp_path)
    assert (error.code, error.details) == ("unknown_directive", {"file": "1_a.sql", "line": line})


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"SELECT 1;\nSELECT '\xff';", "files_invalid", 2),
        (b"-- nothing\n", "files_invalid", 1),
        (b"", "files_invalid", 1),
        (b"SELECT 1;\n\\connect x", "invalid_sql", 2),
        (b"-- golive: kind tx\n\nVACUUM;", "needs_autocommit", 3),
        (b"SELECT '\0';", "invalid_sql", 1),
        (b"COPY notes FROM stdin;\n1\ta\n\\.\n", "copy_stream", 1),
        (b"SELECT 1;\nCREATE INDEX CONCURRENTLY ON notes (body);", "needs_check", 2),
        (b"-- golive: kind autocommit\nCALL fill();", "needs_check", 2),
        (b"-- golive: kind batch\nUPDATE notes SET tag = '' WHERE :range;", "files_invalid", 2),
        (b"-- golive: kind batch\n-- golive: batch_table notes\nUPDATE notes SET tag = ''::range;", "files_invalid", 3),
    ],
)
def test_contents_that_cannot_run(tmp_path: Path, data: bytes, code: str, line: int) -> None:
    tmp_path.joinpath("1_a.sql").write_bytes(data)
    error = refused(tmp_path)
    assert (error.code, error.details) == (code, {"file": "1_a.sql", "line": line})
    assert error.message.startswith(f"1_a.sql:{line}: ")


def test_a_down_script_is_checked_as_well(tmp_path: Path) -> None:
    tmp_path.joinpath("1_a.sql").write_text("SELECT 1;")
    tmp_path.joinpath("1_a.down.sql").write_text("BEGIN;")
    assert refused(tmp_path).details["file"] == "1_a.down.sql"


def test_no_directory(tmp_path: Path) -> None:
    assert refused(tmp_path / "x").code == "files_missing"
    tmp_path.joinpath("f").write_text("")
    assert refused(tmp_path / "f").code == "files_missing"
