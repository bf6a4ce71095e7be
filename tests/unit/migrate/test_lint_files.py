# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are linted, how they run, and what their comments allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import lint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import lint_file, read_files


def ids(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.id) for one in lint([lint_file("x.sql", text)])]


def refused(text: str) -> GoliveError:
    with pytest.raises(GoliveError) as caught:
        lint_file("x.sql", text)
    return caught.value


def test_a_comment_right_above_allows_for_one_statement() -> None:
    text = "-- golive: allow drop-column: unused\nALTER TABLE a DROP COLUMN b;\n\nALTER TABLE c DROP COLUMN d;\n"
    assert (2, "drop-column") not in ids(text)
    assert (4, "drop-column") in ids(text)


def test_several_comments_stand_above_one_statement() -> None:
    text = (
        "SELECT 1;\n-- Old data.\n-- golive: allow drop-column: unused\n--golive:allow truncate : archived\n"
        "-- That is all.\nALTER TABLE a DROP COLUMN b;\n"
    )
    assert ids(text) == []


def test_a_comment_at_the_top_allows_for_the_file() -> None:
    text = "-- golive: allow drop-column: unused\n\nALTER TABLE a DROP COLUMN b;\nDROP VIEW v;\n"
    assert ids(text) == [(4, "drop-object")]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '\n-- golive: allow drop-column: unused\n';\nALTER TABLE a DROP COLUMN b;",
        "SELECT $x$\n-- golive: allow drop-column: unused\n$x$;\nALTER TABLE a DROP COLUMN b;",
        "/* \n-- golive: allow drop-column: unused\n */\nALTER TABLE a DROP COLUMN b;",
    ],
)
def test_what_looks_like_a_comment_inside_of_something_else_allows_nothing(text: str) -> None:
    assert [rule for _line, rule in ids(text)] == ["drop-column"]


def test_without_a_reason() -> None:
    for end in ("", ":", ":  "):
        error = refused(f"SELECT 1;\n\n-- golive: allow drop-column{end}\nALTER TABLE a DROP COLUMN b;")
        assert error.code == "unknown_directive"
        assert error.details == {"file": "x.sql", "line": 3}
        assert "needs a reason" in error.message


def test_an_unknown_rule_names_the_nearest() -> None:
    error = refused("-- golive: allow drop-colum: unused\nALTER TABLE a DROP COLUMN b;")
    assert (error.code, error.details["line"]) == ("unknown_directive", 1)
    assert "drop-column" in str(error.hint)


def test_a_comment_above_nothing_is_an_error() -> None:
    error = refused("SELECT 1;\n\n-- golive: allow drop-column: unused\n\nALTER TABLE a DROP COLUMN b;")
    assert "no statement stands right below" in error.message


def test_text_that_is_not_sql() -> None:
    error = refused("SELECT 1;\nSELECT 'x")
    assert (error.code, error.details["line"]) == ("invalid_sql", 2)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ALTER TABLE a ADD b text", "tx"),
        ("CREATE INDEX CONCURRENTLY i ON a (b)", "autocommit"),
        ("CREATE INDEX CONCURRENTLY i ON a (b); SELECT 1", "autocommit"),
        ("-- golive: kind tx\nVACUUM a", "tx"),
        ("-- golive: kind batch\nUPDATE a SET b = 1 WHERE :range", "batch"),
        ("-- golive: kind=autocommit\nSELECT 1", "autocommit"),
        ("/* golive: kind separate */ SELECT 1", "autocommit"),
    ],
)
def test_how_a_file_runs(text: str, kind: str) -> None:
    assert lint_file("x.sql", text).kind == kind


def test_a_statement_that_runs_alone_holds_no_lock_of_others() -> None:
    alter, write = "ALTER TABLE t ADD b text;\n", "UPDATE t SET b = '' WHERE id = 7;\n"
    assert ids(alter + write) == [(2, "statement-after-exclusive-lock")]
    assert ids(alter + "CREATE INDEX CONCURRENTLY i ON t (b);\n" + write) == []
    assert ids("-- golive: kind autocommit\n" + alter + write) == []
    assert ids("-- golive: kind separate\n" + alter + write) == []
    assert (3, "statement-after-exclusive-lock") in ids("BEGIN;\n" + alter + write + "COMMIT;\n")


def test_directives_are_those_of_the_runner() -> None:
    assert refused("-- golive: kind sometimes\nSELECT 1").code == "unknown_directive"


def test_a_directory_is_read_in_order_of_versions(tmp_path: Path) -> None:
    for name in ("10_b.sql", "9_a.sql", "9_a.down.sql", "9_a.verify.sql", "seed.sql", "README.md"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbfSELECT 1;\r\n")
    files = read_files(str(tmp_path))
    assert [one.file for one in files] == ["9_a.sql", "10_b.sql", "seed.sql"]
    assert [one.down.file if one.down else None for one in files] == ["9_a.down.sql", None, None]
    assert [one.file for one in read_files(str(tmp_path / "10_b.sql"))] == ["10_b.sql"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GoliveError) as caught:
        read_files(str(tmp_path / "nowhere"))
    assert caught.value.code == "files_missing"


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(GoliveError) as caught:
        read_files(str(tmp_path))
    assert caught.value.code == "files_invalid"
