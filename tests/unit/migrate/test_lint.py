# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the findings say, and what several files and the second opinion add."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import counts, estimate, lint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile, lint_file
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import RULES, SEVERITIES
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_squawk import (
    IDS,
    Opinion,
    find_program,
    opinions,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table

INDEX = "CREATE INDEX i ON t (a);\n"
TABLE = "CREATE TABLE t (id bigint PRIMARY KEY, a text);\n"


def files(*texts: str) -> list[LintFile]:
    return [lint_file(f"{number}.sql", text, number) for number, text in enumerate(texts, 1)]


def ids(*texts: str, **options: Any) -> list[str]:
    return [one.id for one in lint(files(*texts), **options)]


def test_a_finding_says_where_what_and_what_instead() -> None:
    (found,) = lint(files("SELECT 1;\n\n" + INDEX))
    assert (found.id, found.severity, found.file, found.line) == ("create-index-blocking", "error", "1.sql", 3)
    assert (found.lock, found.table, found.rows, found.seconds) == ("SHARE", "t", None, None)
    assert "CONCURRENTLY" in found.rewrite
    assert found.message == "t: writes stop until the index is built (i)."


def test_a_table_of_an_earlier_pending_file_is_new() -> None:
    assert ids(TABLE, INDEX) == []
    assert ids(INDEX, applied=files(TABLE)) == ["create-index-blocking"]


def test_a_table_that_is_made_again_after_it_went_is_new() -> None:
    assert ids("DROP TABLE t;", TABLE + INDEX, applied=files(TABLE)) == ["drop-object"]


def test_a_new_table_keeps_its_ways_under_another_name() -> None:
    assert ids(TABLE + "ALTER TABLE t RENAME TO u;\nCREATE INDEX i ON u (a);\n") == []


def test_types_follow_earlier_files() -> None:
    grown = "ALTER TABLE t ALTER a TYPE varchar(10);\n"
    assert "retype-column-rewrite" in ids(grown, applied=files(TABLE))
    assert ids("ALTER TABLE t ALTER a TYPE varchar(20);\n", applied=files(TABLE, grown)) == ["retype-column-safe"]


def test_an_index_that_comes_later_serves_the_foreign_key() -> None:
    child = "CREATE TABLE c (id bigint PRIMARY KEY, t_id bigint NOT NULL REFERENCES t);\n"
    assert ids(child) == ["foreign-key-without-index"]
    assert ids(child, "CREATE INDEX c_t ON c (t_id);\n") == []


def test_versions_decide() -> None:
    zone = "ALTER TABLE t ALTER a TYPE timestamptz;\n"
    before = files("CREATE TABLE t (id bigint PRIMARY KEY, a timestamp);\n")
    assert ids(zone, applied=before, version=15) == ["retype-column-safe"]
    assert ids(zone, applied=before, version=11) == ["retype-column-rewrite"]
    constant = "ALTER TABLE t ADD b int NOT NULL DEFAULT 0;\n"
    assert ids(constant, version=15) == []
    assert ids(constant, version=10) == ["add-column-volatile-default"]
    (found,) = lint(files("ALTER TABLE t DETACH PARTITION p;\n"), version=13)
    assert found.rewrite.startswith("This server cannot")


def test_each_alter_table_reads_the_state_before_it() -> None:
    text = (
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;\n",
        "ALTER TABLE t VALIDATE CONSTRAINT c;\n",
        "ALTER TABLE t ALTER a SET NOT NULL;\nALTER TABLE t DROP CONSTRAINT c;\n",
    )
    assert ids(*text, applied=files(TABLE)) == []
    assert ids(text[0], text[2], applied=files(TABLE)) == ["set-not-null-scan"]


def test_style_only_where_it_is_asked_for() -> None:
    text = (
        'CREATE TABLE "Bad" (a boolean, b bigint, c boolean, d bigint, e varchar(20), f timestamp, g serial);\n'
        f"CREATE TABLE shop.wide ({', '.join(f'c{n} text' for n in range(50))}, id bigint PRIMARY KEY);\n"
    )
    assert ids(text) == []
    assert set(ids(text, with_style=True)) == {rule for rule in RULES if rule.startswith("style-")}
    good = "CREATE TABLE shop.t (id bigint PRIMARY KEY, at timestamptz, name text, ok boolean);\n"
    assert ids(good, with_style=True) == []


def pair(up: str, down: str | None) -> list[str]:
    made = lint_file("1.down.sql", down) if down is not None else None
    read = lint_file("1.sql", up, 1)
    file = LintFile(read.file, read.text, read.statements, number=1, expects_down=True, down=made, allowed=read.allowed)
    return [one.id for one in lint([file])]


def test_the_way_back() -> None:
    assert pair(TABLE, None) == ["down-missing-or-destructive"]
    assert pair(TABLE, "-- nothing\n") == ["down-missing-or-destructive"]
    assert pair(TABLE, "DROP TABLE t;\n") == []
    assert pair("ALTER TABLE t ADD b text;\n", "ALTER TABLE t DROP COLUMN b;\n") == []
    assert pair("ALTER TABLE t ADD b text;\n", "ALTER TABLE t DROP COLUMN c;\n") == ["down-missing-or-destructive"]
    assert pair(TABLE, "DROP TABLE t; TRUNCATE u;\n") == ["down-missing-or-destructive"]
    assert pair(f"-- golive: allow down-missing-or-destructive: only data is moved\n\n{TABLE}", None) == []


def test_seconds_come_from_the_size() -> None:
    table = Table(Name("t"), size=1_000_000_000, index_size=250_000_000)
    assert estimate(RULES["set-not-null-scan"], table) == 10
    assert estimate(RULES["create-index-blocking"], table) == 40
    assert estimate(RULES["retype-column-rewrite"], table) == 50
    assert estimate(RULES["drop-column"], table) is None
    assert estimate(RULES["set-not-null-scan"], Table(Name("t"))) is None


def test_rules_are_whole() -> None:
    for rule in RULES.values():
        assert rule.severity in SEVERITIES
        assert rule.effect
        assert rule.rewrite.endswith(".")
    assert len(RULES) == 68
    assert counts([]) == {"error": 0, "warning": 0, "info": 0}


def test_the_second_opinion_speaks_our_ids() -> None:
    assert {one for meant in IDS.values() for one in meant} <= RULES.keys()


def test_the_second_opinion_is_folded_into_ours() -> None:
    program = find_program()
    assert program, "squawk-cli is a requirement of the tests"
    judged = files(INDEX, TABLE + INDEX, "ALTER TABLE t\n  DROP COLUMN a,\n  DROP COLUMN b;\n")
    told = opinions(program, judged, 15)
    assert {"require-concurrent-index-creation", "ban-drop-column"} <= {one.rule for one in told}
    alone, both = lint(judged), lint(judged, opinions=told)
    assert [one.id for one in both] == [one.id for one in alone]


def test_what_only_the_second_opinion_saw_is_told() -> None:
    judged = files("SELECT 1;\nALTER TABLE t\n  ADD b text;\n")
    told = [Opinion("1.sql", 3, "ban-truncate-cascade", "It said so", ("truncate",))]
    (found,) = lint(judged, opinions=told)
    assert (found.id, found.line, found.source, found.table) == ("truncate", 3, "squawk", "t")
    assert lint(judged, opinions=[Opinion("1.sql", 3, "syntax-error", "It said so", ())]) == []


@pytest.mark.parametrize(
    "sql", [TABLE + "ALTER TABLE t ADD b text;\n", "-- golive: allow truncate: x\nALTER TABLE t ADD b text;\n"]
)
def test_the_second_opinion_is_overruled(sql: str) -> None:
    assert lint(files(sql), opinions=[Opinion("1.sql", 2, "ban-truncate-cascade", "It said so", ("truncate",))]) == []
