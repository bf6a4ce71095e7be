# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories in the layouts of other tools."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate import layouts_alembic
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, without_wrapper
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_flyway import order_again, order_of
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, check_plan, make_plan, placed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.steps import steps_of

PLAN = """%syntax-version=1.0.0
%project=shop

schema 2026-01-01T00:00:00Z A B <a@example.org> # The schema.
notes [schema] 2026-01-02T00:00:00Z A B <a@example.org>
@v1 2026-01-03T00:00:00Z A B <a@example.org> # First release.

"""


def write(top: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def shown(found: list[Migration]) -> list[tuple[str, str, str, str | None]]:
    return [(one.version, one.name, one.up.text.strip(), one.down.text.strip() if one.down else None) for one in found]


def refused(path: Path, layout: str) -> GoliveError:
    with pytest.raises(GoliveError) as caught:
        read_layout(str(path), layout)
    return caught.value


def fault_of(path: Path, layout: str) -> GoliveError:
    """What is wrong with the only file; it counts when the file would run, and not when it is applied."""
    (one,) = read_layout(str(path), layout)
    assert one.fault
    with pytest.raises(GoliveError) as caught:
        check_plan(make_plan([one], []), out_of_order=False)
    assert caught.value is one.fault
    (there,) = placed([one], [])
    applied = Applied(one.version, one.name, there.order, one.up.checksum, file=one.up.file)
    assert check_plan(make_plan([one], [applied]), out_of_order=False) == []
    return one.fault


def test_golang_migrate(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "2_b.up.sql": "BEGIN;\n\nCREATE TABLE b (i int);\nCOMMIT;\n",
            "2_b.down.sql": "-- nothing\n",
            "10_c.up.sql": "SELECT 10;",
            "000001_create users.up.sql": "SELECT 1;",
            "000001_create users.down.sql": "begin work;SELECT -1;commit",
            "README.md": "",
        },
    )
    found = read_layout(str(tmp_path), "golang_migrate")
    assert shown(found) == [
        ("000001", "create users", "SELECT 1;", "SELECT -1;"),
        ("2", "b", "CREATE TABLE b (i int);", None),
        ("10", "c", "SELECT 10;", None),
    ]
    assert found[1].up.statements[0].line == 3
    assert found[1].raw.startswith(b"BEGIN")


@pytest.mark.parametrize(
    ("layout", "names", "what"),
    [
        ("golang_migrate", ["1_a.sql"], "1_a.sql"),
        ("golang_migrate", ["1_a.up.sql", "01_b.up.sql"], "same version"),
        ("golang_migrate", ["1_a.down.sql"], "not there"),
        ("flyway", ["V1_a.sql"], "V1_a.sql"),
        ("flyway", ["afterMigrate.sql"], "afterMigrate.sql"),
        ("flyway", ["B1__base.sql"], "B1__base.sql"),
        ("flyway", ["V1__a.sql", "sub/V1.0__b.sql"], "same version"),
        ("flyway", ["U1__a.sql"], "not there"),
        ("goose", ["00001_code.go"], "program"),
        ("goose", ["create.sql"], "create.sql"),
        ("dbmate", ["1_a.sql", "1_b.sql"], "same version"),
        ("native", ["1_a.sql"], "Set layout: dbmate"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, layout: str, names: list[str], what: str) -> None:
    write(tmp_path, dict.fromkeys(names, "-- migrate:up\nSELECT 1;\n"))
    error = refused(tmp_path, layout)
    assert error.code == "files_invalid"
    assert what in str(error)


@pytest.mark.parametrize("layout", ["native", "flyway", "goose", "dbmate", "golang_migrate", "sqitch", "alembic"])
def test_no_directory(tmp_path: Path, layout: str) -> None:
    assert refused(tmp_path / "nowhere", layout).code == "files_missing"


def test_flyway(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "V1__create_notes.sql": "SELECT 1;",
            "V1.10__later.sql": "SELECT 110;",
            "V1_9__sooner.sql": "SELECT 19; -- ${said}",
            "sub/V2__sub.sql": "SELECT '${kept}';",
            "sub/V2__sub.sql.conf": "# ours\nplaceholderReplacement=false\nexecuteInTransaction=false\n",
            "U1__create_notes.sql": "SELECT -1;",
            "R__b_view.sql": "SELECT 'b';",
            "R__a_view.sql": "SELECT 'a';",
            "R__a_view_more.sql": "SELECT 'a more';",
        },
    )
    found = read_layout(str(tmp_path), "flyway")
    assert [one.version for one in found] == [
        "1",
        "1.9",
        "1.10",
        "2",
        "R__a_view",
        "R__a_view_more",
        "R__b_view",
    ]
    assert [one.fault for one in found] == [None] * 7
    assert [one.again for one in found] == [False] * 4 + [True] * 3
    assert found[0].down
    assert found[3].up.kind == "autocommit"
    assert found[3].up.statements[0].line == 1


@given(first=st.text(max_size=30), second=st.text(max_size=30))
def test_files_that_run_again_are_in_the_order_of_their_names(first: str, second: str) -> None:
    first, second = first.replace("\0", ""), second.replace("\0", "")
    orders = order_again(first), order_again(second)
    assert (orders[0] < orders[1]) == (first.encode() < second.encode())
    assert all(0 <= number < 2**63 for order in orders for number in order)
    assert orders[0] > order_of("999999999999999999")


@pytest.mark.parametrize(
    ("files", "file", "line"),
    [
        ({"V1__a.sql": "SELECT 1;\nSELECT '${x}';"}, "V1__a.sql", 2),
        ({"V1__a.sql": "/* ${x} */\n\nSELECT $$${x}$$;"}, "V1__a.sql", 3),
        ({"V1__a.sql": "SELECT 1;", "V1__a.sql.conf": "\nencoding=LATIN1\n"}, "V1__a.sql.conf", 2),
        ({"V1__a.sql": "SELECT 1;\nBEGIN;"}, "V1__a.sql", 2),
        ({"V1__a.sql": "SELECT 1;", "U1__a.sql": "SELECT ${x};"}, "U1__a.sql", 1),
    ],
)
def test_what_flyway_would_do_and_is_not_done_here(tmp_path: Path, files: dict[str, str], file: str, line: int) -> None:
    write(tmp_path, files)
    error = fault_of(tmp_path, "flyway")
    assert (error.details["file"], error.details["line"]) == (file, line)


def test_what_runs_again_follows_its_checksum(tmp_path: Path) -> None:
    write(tmp_path, {"V1__a.sql": "SELECT 1;", "R__v.sql": "SELECT 'v';"})
    files = read_layout(str(tmp_path), "flyway")
    rows = [Applied(one.version, one.name, one.order, one.up.checksum, file=one.up.file) for one in files]
    plan = make_plan(files, rows)
    assert (plan.pending, plan.head, plan.drift) == ((), "1", ())
    write(tmp_path, {"R__v.sql": "SELECT 'w';", "V2__b.sql": "SELECT 2;"})
    plan = make_plan(read_layout(str(tmp_path), "flyway"), rows)
    assert [one.version for one in plan.pending] == ["2", "R__v"]
    assert check_plan(plan, out_of_order=False) == []
    with pytest.raises(GoliveError) as caught:
        make_plan(files, rows, "R__v")
    assert caught.value.code == "target_unknown"


GOOSE = """-- +goose NO TRANSACTION
-- A note.

-- +goose Up
CREATE TABLE notes (id int);
-- +goose StatementBegin
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RETURN 1;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION f();
DROP TABLE notes;
"""


def test_goose(tmp_path: Path) -> None:
    write(tmp_path, {"00001_notes.sql": GOOSE, "20260101000000_more.sql": "-- +goose up\nSELECT 2;\n-- +goose down\n"})
    first, second = read_layout(str(tmp_path), "goose")
    assert (first.fault, second.fault, second.down) == (None, None, None)
    assert [one.line for one in first.up.statements] == [5, 7]
    assert first.down
    assert [one.line for one in first.down.statements] == [14, 15]
    assert first.up.kind == first.down.kind == "autocommit"
    # Each in a transaction of its own, with the ledger's row inside.
    assert [(step.alone, len(step.statements)) for step in steps_of(first.up)] == [(False, 1), (False, 1)]
    assert (second.version, second.name, second.up.kind) == ("20260101000000", "more", "tx")


def test_dbmate(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "20260101_a.sql": "-- migrate:up transaction:false\nVACUUM;\n\n-- migrate:down\nSELECT 1;\nSELECT -1;\n",
            "20260102_b.sql": "-- made by hand\n-- migrate:up\nSELECT 2;",
        },
    )
    first, second = read_layout(str(tmp_path), "dbmate")
    assert (first.fault, second.fault) == (None, None)
    assert first.up.directives.kind == "separate"
    assert first.down
    assert (first.down.kind, first.down.statements[1].line) == ("tx", 6)
    assert second.down is None


@pytest.mark.parametrize(
    ("layout", "text", "line"),
    [
        ("goose", "SELECT 1;\n", 1),
        ("goose", "\nSELECT 1;\n-- +goose Up\nSELECT 2;\n", 2),
        ("goose", "-- +goose Up\nSELECT 1;\n-- +goose Up\n", 3),
        ("goose", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT 1;\n", 1),
        ("goose", "-- +goose Up\nSELECT 1;\n-- +goose Down\n\nCOMMIT;\n", 5),
        ("goose", "-- +goose Up\n-- nothing\n", 1),
        ("dbmate", "-- migrate:up transaction:maybe\nSELECT 1;\n", 1),
        ("dbmate", "-- migrate:down\nSELECT 1;\n", 1),
        ("dbmate", "-- migrate:up\n\nSELECT 'open;\n", 3),
    ],
)
def test_sections_that_cannot_run_name_the_line_of_the_file(tmp_path: Path, layout: str, text: str, line: int) -> None:
    write(tmp_path, {"1_a.sql": text})
    error = fault_of(tmp_path, layout)
    assert (error.details["file"], error.details["line"]) == ("1_a.sql", line)


def test_sqitch(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sqitch.plan": PLAN + "notes [notes@v1] 2026-01-04T00:00:00Z A B <a@example.org>\n",
            "deploy/schema.sql": "-- Deploy shop:schema to pg\n\nBEGIN;\nCREATE SCHEMA shop;\nCOMMIT;\n",
            "revert/schema.sql": "BEGIN;\nDROP SCHEMA shop;\nCOMMIT;\n",
            "verify/schema.sql": "BEGIN;\nSELECT 1/count(*) FROM pg_namespace;\nROLLBACK;\n",
            "deploy/notes.sql": "SELECT 'new';",
            "deploy/notes@v1.sql": "SELECT 'old';",
        },
    )
    found = read_layout(str(tmp_path), "sqitch")
    assert shown(found) == [
        ("schema", "schema", "-- Deploy shop:schema to pg\n\n      \nCREATE SCHEMA shop;", "DROP SCHEMA shop;"),
        ("notes", "notes", "SELECT 'old';", None),
        ("notes#2", "notes", "SELECT 'new';", None),
    ]
    assert found[0].fault is None
    assert found[0].verify
    assert found[0].up.statements[0].line == 4
    assert [one.order for one in placed(found, [])] == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("more [missing] 2026-01-04T00:00:00Z A B <a@example.org>", "requires missing"),
        ("more [!notes] 2026-01-04T00:00:00Z A B <a@example.org>", "conflicts with notes"),
        ("more [other:thing] 2026-01-04T00:00:00Z A B <a@example.org>", "another project"),
        ("-notes 2026-01-04T00:00:00Z A B <a@example.org>", "reverts notes"),
        ("what is this", "neither a change nor a tag"),
        ("%syntax-version=2.0.0", "syntax 2.0.0"),
        ("more 2026-01-04T00:00:00Z A B <a@example.org>", "deploy/more.sql"),
    ],
)
def test_plans_that_cannot_be_followed(tmp_path: Path, line: str, what: str) -> None:
    write(
        tmp_path,
        {"sqitch.plan": f"{PLAN}{line}\n", "deploy/schema.sql": "SELECT 1;", "deploy/notes.sql": "SELECT 2;"},
    )
    error = refused(tmp_path, "sqitch")
    assert (error.code, error.details) == ("files_invalid", {"file": "sqitch.plan", "line": 8})
    assert what in error.message


def test_a_transaction_within_a_script_is_no_wrapper(tmp_path: Path) -> None:
    plan = PLAN.replace("notes [schema]", "@none").replace("@v1", "@v0")
    write(tmp_path, {"sqitch.plan": plan, "deploy/schema.sql": "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;\n"})
    error = fault_of(tmp_path, "sqitch")
    assert (error.code, error.details) == ("transaction_control", {"file": "deploy/schema.sql", "line": 1})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("BEGIN; SELECT 1; COMMIT;", "       SELECT 1;        "),
        ("BEGIN; SELECT 1; COMMIT", "       SELECT 1;       "),
        ("/* BEGIN; */ BEGIN;SELECT 1;COMMIT TRANSACTION;", "/* BEGIN; */       SELECT 1;                   "),
        ("BEGIN; SELECT 1;", None),
        ("SELECT 1; COMMIT;", None),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;", None),
        ("BEGIN; SELECT 1; ROLLBACK;", None),
        ("BEGIN", None),
        ("", None),
        ("BEGIN; SELECT 'open; COMMIT;", None),
    ],
)
def test_a_wrapper_is_a_begin_at_the_start_and_a_commit_at_the_end(text: str, kept: str | None) -> None:
    assert without_wrapper(text.encode()).decode() == (text if kept is None else kept)


@given(applied=st.sets(st.integers(0, 7)), more=st.sets(st.integers(0, 7)))
def test_places_hold_and_keep_the_order_of_the_list(
    tmp_path_factory: pytest.TempPathFactory, applied: set[int], more: set[int]
) -> None:
    top = tmp_path_factory.mktemp("plan")
    names = [f"c{number}" for number in range(8)]
    lines = [f"{name} 2026-01-01T00:00:00Z A <a@example.org>\n" for name in names]
    write(top, {"sqitch.plan": "".join(lines), **{f"deploy/{name}.sql": "SELECT 1;" for name in names}})
    files = read_layout(str(top), "sqitch")
    rows: list[Applied] = []
    for wanted in (applied, applied | more):
        # As files arrive: first those of one merge, then those of a later one between them.
        known = [files[number] for number in sorted(wanted)]
        there = placed(known, rows)
        assert [one.order for one in there] == sorted({one.order for one in there})
        rows = [Applied(one.version, one.name, one.order, one.up.checksum, file=one.up.file) for one in there]
        late = {one.version for one in make_plan(files, rows).drift if one.kind == "out_of_order"}
        assert late == {names[number] for number in range(max(wanted, default=0)) if number not in wanted}


def alembic(top: Path, bodies: dict[str, tuple[str | None, str]]) -> None:
    subprocess.run(["alembic", "init", "versions"], cwd=top, check=True, capture_output=True)
    settings = top / "alembic.ini"
    text = settings.read_text()
    start = text.index("sqlalchemy.url")
    end = text.index("\n", start)
    settings.write_text(f"{text[:start]}sqlalchemy.url = postgresql://nobody@localhost/nothing{text[end:]}")
    for revision, (parent, body) in bodies.items():
        down = "raise NotImplementedError" if "get_bind" in body else "op.execute('SELECT -1')"
        top.joinpath("versions", "versions", f"{revision}.py").write_text(
            f'"""Step {revision}."""\nimport sqlalchemy as sa\nfrom alembic import op\n'
            f"revision = {revision!r}\ndown_revision = {parent!r}\nbranch_labels = depends_on = None\n"
            f"def upgrade():\n    {body}\ndef downgrade():\n    {down}\n"
        )


def test_alembic(tmp_path: Path) -> None:
    concurrently = (
        "\n    with op.get_context().autocommit_block():\n"
        "        op.create_index('t_id', 't', ['id'], postgresql_concurrently=True)"
    )
    alembic(
        tmp_path,
        {
            "aaa": (None, "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))"),
            "bbb": ("aaa", concurrently),
            "ccc": ("bbb", "op.get_bind().execute(sa.text('SELECT 1')).fetchall()"),
            "ddd": ("ccc", "op.execute('SELECT 4')"),
        },
    )
    found = read_layout(str(tmp_path), "alembic")
    assert [(one.version, one.name, one.parents) for one in found] == [
        ("aaa", "aaa", ()),
        ("bbb", "bbb", ("aaa",)),
        ("ccc", "ccc", ("bbb",)),
        ("ddd", "ddd", ("ccc",)),
    ]
    texts = [[one.normal for one in migration.up.statements] for migration in found]
    assert texts[0] == ["CREATE TABLE t ( id SERIAL NOT NULL, PRIMARY KEY (id) )"]
    assert texts[1:] == [["CREATE INDEX CONCURRENTLY t_id ON t (id)"], [], ["SELECT 4"]]
    assert [one.fault.code if one.fault else None for one in found] == [None, None, "alembic_failed", None]
    assert "ccc" in str(found[2].fault)
    # Behind the one that cannot be written no way back is known.
    assert [one.down.text.strip() if one.down else None for one in found] == [None, None, None, "SELECT -1;"]


def test_alembic_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("alembic.ini").write_text("[alembic]\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused(tmp_path, "alembic").code == "library_missing"


def test_alembic_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alembic(tmp_path, {})
    tmp_path.joinpath("versions", "env.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(layouts_alembic, "LIMIT_S", 0.5)
    error = refused(tmp_path, "alembic")
    assert (error.code, "no end within 0.5 s" in error.message) == ("alembic_failed", True)

    def gone() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_layout(str(tmp_path), "alembic", gone)


def test_alembic_that_cannot_read_the_project(tmp_path: Path) -> None:
    tmp_path.joinpath("alembic.ini").write_text("[alembic]\nscript_location = nowhere\n")
    error = refused(tmp_path, "alembic")
    assert error.code == "alembic_failed"
    assert "nowhere" in error.message
