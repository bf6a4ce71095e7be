# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that names the migration of a release."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.filter.migration_head import migration_head


def _files(folder: Path, **files: str) -> str:
    for name, text in files.items():
        folder.joinpath(f"{name}.sql").write_text(text)
    return str(folder)


def test_the_newest_file_counts_by_number_and_keeps_its_writing(tmp_path: Path) -> None:
    path = _files(tmp_path, **{"9_a": "SELECT 1;", "0010_b": "SELECT 1;", "0010_b.down": "SELECT 1;"})
    assert migration_head(path) == "0010"
    assert migration_head(path, target="9") == "9"
    assert migration_head(path, target="10") == "0010"


def test_what_removes_something_belongs_to_no_release(tmp_path: Path) -> None:
    path = _files(tmp_path, **{"1_a": "SELECT 1;", "2_b": "-- golive: phase = contract\nDROP TABLE a;"})
    assert migration_head(path) == "1"
    assert migration_head(path, target="2") == "1"


def test_the_files_of_another_tool_are_read_as_its_own(tmp_path: Path) -> None:
    path = _files(tmp_path, V1_2__a="SELECT 1;", V1_10__b="SELECT 1;", R__view="SELECT 1;")
    assert migration_head(path, "flyway") == "1.10"


def test_a_place_in_a_list_is_an_order_too(tmp_path: Path) -> None:
    tmp_path.joinpath("sqitch.plan").write_text(
        "%syntax-version=1.0.0\n%project=shop\n\n"
        "b 2026-01-01T00:00:00Z A <a@x> # b\na 2026-01-02T00:00:00Z A <a@x> # a\n"
    )
    tmp_path.joinpath("deploy").mkdir()
    for name in ("a", "b"):
        tmp_path.joinpath(f"deploy/{name}.sql").write_text("SELECT 1;")
    assert migration_head(str(tmp_path), "sqitch") == "a"
    assert migration_head(str(tmp_path), "sqitch", "b") == "b"


def test_nothing_to_migrate_has_no_head(tmp_path: Path) -> None:
    assert migration_head(str(tmp_path)) == ""


def test_a_bad_file_and_an_unknown_target_are_told(tmp_path: Path) -> None:
    path = _files(tmp_path, **{"1_a": "SELECT 1;"})
    with pytest.raises(AnsibleFilterError, match="version 7: no file"):
        migration_head(path, target="7")
    with pytest.raises(AnsibleFilterError, match="has not the form"):
        migration_head(_files(tmp_path, wrong="SELECT 1;"))
