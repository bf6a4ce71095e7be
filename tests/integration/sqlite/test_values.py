# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SQLite lets into a column, row by row of the reference's section 2: mapped, kept, refused by name, or told."""

from __future__ import annotations

import math
import random
import sqlite3
import struct
from contextlib import closing
from typing import Any

import pytest

from tests.integration.sqlite.conftest import Move

NAIVE, ZONED = "timestamp without time zone", "timestamp with time zone"


def values(move: Move, declared: str, *rows: Any, table: str = "t") -> None:
    """A table with a column ``v`` of this type and these values."""
    move.make(
        f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, v {declared})",
        (f"INSERT INTO {table} (v) VALUES (?)", [(one,) for one in rows]),
    )


def there(move: Move, table: str = "t") -> list[Any]:
    """The values that arrived."""
    found = [row[0] for row in move.query(f"SELECT v FROM {table} ORDER BY id")]
    return [bytes(value) if isinstance(value, memoryview) else value for value in found]


def notices(result: dict[str, Any]) -> list[tuple[str, int]]:
    """Codes and counts of what was told."""
    return [(row["code"], row["count"]) for row in result["notices"]]


DECIDED: list[tuple[str, list[Any], str]] = [
    ("FLOATING POINT", [1, 2], "bigint"),
    ("CHARINT", [1, 2], "bigint"),
    ("STRING", ["a", "b"], "text"),
    ("BOOLEAN", [0, 1, None], "boolean"),
    ("DECIMAL(10,2)", [1, 2], "bigint"),
    ("DECIMAL(10,2)", [1.5, 2], "double precision"),
    ("", [b"a", b"b"], "bytea"),
    ("", ["a"], "text"),
    ("BLOB", ["a text in a BLOB column"], "text"),
    ("INT", [2**31 + 1, -(2**63), 2**63 - 1], "bigint"),
    ("DATE", ["2024-02-29", "0001-01-01", "9999-12-31"], "date"),
    ("DATETIME", ["2024-02-29T10:00:00", "2024-02-29 10:00", "2024-02-29 10:00:00.123456"], NAIVE),
    ("TIMESTAMP", ["2024-02-29T10:00:00Z", "2024-02-29 10:00:00+05:30", "1999-12-31 23:59:59.5-0800"], ZONED),
    ("DATETIME", [1577836800, 1577836801], "bigint"),
    ("UUID", ["00e1a3f0-0000-4000-8000-0123456789ab"], "uuid"),
    ("UUID", ["00E1A3F0-0000-4000-8000-0123456789AB"], "text"),
    ("JSON", ['{"b": 1, "a": [1.50, 1e2, "x"]}', "null"], "jsonb"),
    ("JSON", ["{'a': 1}"], "text"),
    ("JSON", ['{"a": "\\u0000"}'], "text"),
    ("TIME", ["12:30", "noon"], "text"),
]


def test_the_values_decide_the_type(move: Move) -> None:
    for number, (declared, stored, _type) in enumerate(DECIDED):
        values(move, declared, *stored, table=f"t{number}")
    result = move.copy()
    rows = {table["name"]: table["rows"] for table in result["tables"]}
    for number, (declared, stored, type_) in enumerate(DECIDED):
        table = f"t{number}"
        assert move.type_of(table, "v") == type_, (declared, stored)
        assert rows[table] == len(stored)
        if type_ in ("bigint", "double precision", "text", "bytea"):
            assert there(move, table) == stored, declared


DECLARED = [
    ("INT", "bigint"),
    ("VARCHAR(9)", "text"),
    ("REAL", "double precision"),
    ("BLOB", "bytea"),
    ("DECIMAL", "numeric"),
    ("DATETIME", NAIVE),
    ("DATE", "date"),
    ("BOOL", "boolean"),
    ("JSON", "jsonb"),
    ("", "text"),
]


def test_without_values_the_declared_type_decides(move: Move) -> None:
    for number, (declared, _type) in enumerate(DECLARED):
        values(move, declared, None, table=f"t{number}")
    move.copy()
    for number, (declared, type_) in enumerate(DECLARED):
        assert move.type_of(f"t{number}", "v") == type_, declared


REFUSED: list[tuple[str, list[Any], list[tuple[str, int]]]] = [
    ("INTEGER", [1, 2, "three"], [("mixed", 1)]),
    ("INT", [1, 9223372036854775808.0], [("mixed", 1)]),
    ("INTEGER", [1, b"\x00", 2.5], [("mixed", 1), ("mixed", 1)]),
    ("REAL", [1.5, "x"], [("mixed", 1)]),
    ("NUMERIC", [1.5, 2**53 + 1], [("integer_range", 1)]),
    ("TEXT", ["a", "b", b"\xff"], [("mixed_bytes", 1)]),
    ("BLOB", [b"a", b"b", "c"], [("mixed_bytes", 1)]),
    ("BOOLEAN", [0, 1, -1, 2, "t", "true", "Y", None], [("form", 2)]),
    ("BOOLEAN", ["t", "maybe"], [("form", 1)]),
    ("DATE", ["2024-01-01", "2024-01-02", "2020-02-30"], [("form", 1)]),
    ("DATETIME", ["2024-01-01 10:00:00", "", "0000-00-00", "2024-01-01 25:00", "infinity"], [("form", 4)]),
    ("DATETIME", ["2024-01-01 10:00:00", "2024-01-02 10:00:00", "2024-01-01 10:00:00Z"], [("form", 1)]),
    ("DATETIME", ["2024-01-01 10:00:00", "2024-01-02 10:00:00", "2024-01-01"], [("form", 1)]),
    ("DATETIME", ["2024-01-01 10:00:00", "2024-01-01 10:00:01", 1577836800], [("mixed", 1)]),
    ("TEXT", ["a\0b", "c"], [("text_nul", 1)]),
]


def test_what_does_not_fit_is_refused_by_name(move: Move) -> None:
    for number, (declared, stored, _refused) in enumerate(REFUSED):
        values(move, declared, *stored, table=f"t{number}")
    found = move.refused()
    for number, (declared, stored, refused) in enumerate(REFUSED):
        table = f"t{number}"
        own = [row for row in found if row[1] == table]
        assert own == [(code, table, "v", count) for code, count in refused], (declared, stored)
    for row in move.error().details["refused"]:
        assert row["example"], row
        assert row["policy"], row


def test_text_that_is_not_utf8(move: Move) -> None:
    move.make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t (v) VALUES (CAST(x'61ff62' AS TEXT)), ('good')"
    )
    assert move.refused() == [("text_encoding", "t", "v", 1)]
    result = move.copy(columns=[{"name": "t.v", "encoding": "replace"}])
    assert there(move) == ["a\N{REPLACEMENT CHARACTER}b", "good"]
    assert result["tables"][0]["altered"] == {"v encoding": 1}


@pytest.mark.parametrize(
    ("declared", "stored", "policy", "type_", "arrived", "altered"),
    [
        ("TEXT", ["a\0b", "c"], {"nul": "strip"}, "text", ["ab", "c"], {"v nul": 1}),
        ("TEXT", ["a\0b"], {"nul": "replace"}, "text", ["a\N{REPLACEMENT CHARACTER}b"], {"v nul": 1}),
        ("TEXT", ["a\0b", b"\xff"], {"type": "bytea"}, "bytea", [b"a\0b", b"\xff"], {}),
        ("INTEGER", [1, "x", 2.5, None], {"type": "text"}, "text", ["1", "x", "2.5", None], {}),
        ("INTEGER", [1, "x", 2.5, None], {"invalid": "null"}, "bigint", [1, None, None, None], {"v null": 2}),
        ("TEXT", ["a", "b", None], {"invalid": "null"}, "text", ["a", "b", None], {}),
        ("STRING", ["a", "b", 5, 2.5], {"invalid": "null"}, "text", ["a", "b", None, None], {"v null": 2}),
        ("NUMERIC", [1.5, 2**53 + 1], {"invalid": "null"}, "double precision", [1.5, None], {"v null": 1}),
        ("BLOB", [b"a", b"b", 5], {"invalid": "null"}, "bytea", [b"a", b"b", None], {"v null": 1}),
        ("DATE", ["2024-01-01", "2020-02-30"], {"invalid": "null"}, "date", None, {"v null": 1}),
        ("BOOLEAN", [1, 2, "y"], {"invalid": "null"}, "boolean", [True, None, True], {"v null": 1}),
        ("DATETIME", [1577836800], {"type": "timestamptz", "unit": "s"}, ZONED, None, {}),
        ("DATETIME", [1577836800123], {"type": "timestamptz", "unit": "ms"}, ZONED, None, {}),
        ("DATETIME", ["2024-01-01 10:00:00"], {"type": "timestamptz", "naive": "utc"}, ZONED, None, {}),
        (
            "REAL",
            [0.1 + 0.2, 2.5, 1.005],
            {"type": "numeric", "precision": 10, "scale": 2},
            "numeric(10,2)",
            None,
            {"v rounded": 2},
        ),
        ("REAL", [0.1, -12345.678901, 1e20, 0.00012], {"type": "numeric"}, "numeric", None, {}),
        ("TEXT", ["12.50", "-0.1"], {"type": "numeric"}, "numeric", None, {}),
    ],
)
def test_a_policy_accepts_it_and_is_counted(
    move: Move,
    declared: str,
    stored: list[Any],
    policy: dict[str, Any],
    type_: str,
    arrived: Any,
    altered: dict[str, int],
) -> None:
    values(move, declared, *stored)
    result = move.copy(columns=[{"name": "t.v", **policy}])
    assert move.type_of("t", "v") == type_
    assert result["tables"][0]["altered"] == altered
    if arrived is not None:
        assert there(move) == arrived


def test_times_of_all_forms_mean_what_they_meant(move: Move) -> None:
    move.make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s DATETIME, ms DATETIME, j DATETIME, z DATETIME);"
        "INSERT INTO t VALUES (1, 1577836800, 1577836800123, 2458849.5, '2020-01-01T05:30:00+05:30'),"
        " (2, -1, -1, 2440587.5, '1969-12-31 23:59:59Z')"
    )
    units = [
        {"name": f"t.{name}", "type": "timestamptz", "unit": unit}
        for name, unit in (("s", "s"), ("ms", "ms"), ("j", "julian"))
    ]
    move.copy(columns=units)
    rows = move.query(
        "SELECT extract(epoch FROM s)::text, extract(epoch FROM ms)::text, extract(epoch FROM j)::text,"
        " extract(epoch FROM z)::text FROM t ORDER BY id"
    )
    assert [[float(value) for value in row] for row in rows] == [
        [1577836800, 1577836800.123, 1577836800, 1577836800],
        [-1, -0.001, 0, -1],
    ]


def test_every_double_is_the_same_double(move: Move) -> None:
    chance = random.Random(7)
    stored = [struct.unpack("d", chance.randbytes(8))[0] for _number in range(5000)]
    stored = [value for value in stored if not math.isnan(value)] + [
        float("inf"),
        float("-inf"),
        5e-324,
        1.7976931348623157e308,
        -0.0,
    ]
    values(move, "REAL", *stored, float("nan"))
    move.copy()
    arrived = there(move)
    assert arrived[-1] is None
    # SQLite itself keeps no sign of a zero.
    assert [struct.pack("d", value) for value in arrived[:-2]] == [struct.pack("d", value) for value in stored[:-1]]


def test_numeric_is_exact(move: Move) -> None:
    stored = [
        "0",
        "0.00",
        "-0.0001",
        "9999",
        "10000",
        "123456789012345678901234567890.123456789",
        "1e5",
        "-1.50",
        "99990000.00010000",
    ]
    values(move, "TEXT", *stored)
    move.copy(columns=[{"name": "t.v", "type": "numeric"}])
    wanted = [
        row[0]
        for row in move.query(
            f"SELECT x::numeric::text FROM unnest(ARRAY{stored}::text[]) WITH ORDINALITY AS u (x, n) ORDER BY n"
        )
    ]
    assert [row[0] for row in move.query("SELECT v::text FROM t ORDER BY id")] == wanted


def test_json_is_what_jsonb_makes_of_it(move: Move) -> None:
    stored = [
        '{"bb": 1, "a": 2, "a": 3, "é": [], "": {}}',
        "[1.0, -0, -0.0, 1e3, 1.50E-2, 12345678901234567890, true, null]",
        '"\\u00e9\\n\\t\\"\\\\ \\/ \\u001f \U0001f600"',
        "  [ ]  ",
        '{"x": {"zz": 1, "y": 2}}',
    ]
    values(move, "JSON", *stored)
    result = move.copy()
    assert ("equal_keys", 1) in notices(result)
    connection = move.database.connect()
    with connection.cursor() as cursor:
        cursor.execute("SELECT v::text FROM t ORDER BY id")
        arrived = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT x::jsonb::text FROM unnest(%s::text[]) WITH ORDINALITY AS u (x, n) ORDER BY n", (stored,)
        )
        assert arrived == [row[0] for row in cursor.fetchall()]
    connection.close()


def test_what_sqlite_has_lost_already_is_told(move: Move) -> None:
    values(move, "STRING", "0012", "0013")
    assert notices(move.copy()) == [("affinity_lost", 2)]
    assert there(move) == [12, 13]


def test_empty_and_null_blobs_differ(move: Move) -> None:
    values(move, "BLOB", b"", None, b"\0")
    move.copy()
    assert there(move) == [b"", None, b"\0"]


def test_a_utf16_database(move: Move) -> None:
    move.make(
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"
        "INSERT INTO t (v) VALUES ('Zoë \U0001f600')"
    )
    move.copy()
    assert there(move) == ["Zoë \U0001f600"]


def test_a_strict_any_column_is_refused(move: Move) -> None:
    move.make("CREATE TABLE t (id INTEGER PRIMARY KEY, v ANY) STRICT; INSERT INTO t (v) VALUES (1), ('a'), ('b')")
    assert move.refused() == [("mixed", "t", "v", 1)]


@pytest.mark.parametrize("key", ["INTEGER PRIMARY KEY DESC", "TEXT PRIMARY KEY"])
def test_keys_that_are_null(move: Move, key: str) -> None:
    move.make(f"CREATE TABLE t (id {key}, v TEXT); INSERT INTO t VALUES (NULL, 'a'), (NULL, 'b'), (3, 'c')")
    assert ("key_null", "t", "id", 2) in move.refused()


@pytest.mark.parametrize(
    "columns",
    [
        "id INTEGER PRIMARY KEY, v TEXT",
        "id TEXT PRIMARY KEY, v TEXT",
        "id INT, v TEXT, PRIMARY KEY (v, id)",
        "id INT, v TEXT",
        "id TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID",
        "rowid TEXT, _rowid_ TEXT, oid TEXT, id INT, v TEXT",
    ],
)
def test_keys_of_every_shape(move: Move, columns: str) -> None:
    move.make(
        f"CREATE TABLE t ({columns}{'' if columns.endswith('ROWID') else ')'}",
        ("INSERT INTO t (id, v) VALUES (?, ?)", [(i, f"v{i}") for i in range(500)]),
    )
    assert move.copy(chunk_rows=64)["rows"] == 500
    assert move.query("SELECT count(*), count(DISTINCT v) FROM t") == [(500, 500)]


def test_sequences_go_on_behind_deleted_rows_and_empty_tables(move: Move) -> None:
    move.make(
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); INSERT INTO a VALUES (7, 'x'); DELETE FROM a;"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE c (id INTEGER PRIMARY KEY, v TEXT);"
        "INSERT INTO c VALUES (41, 'x')"
    )
    move.copy()
    found = [move.query(f"INSERT INTO {name} (v) VALUES ('new') RETURNING id")[0][0] for name in "abc"]
    assert found == [8, 1, 42]


def test_orphans_are_refused_or_kept_unchecked(move: Move) -> None:
    move.make(
        "CREATE TABLE p (a INTEGER, b INTEGER, PRIMARY KEY (a, b)); INSERT INTO p VALUES (1, 1);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, FOREIGN KEY (a, b) REFERENCES p"
        " ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 9, 9)"
    )
    assert move.refused() == [("fk_orphans", "c", "", 2)]
    move.copy(orphans="keep")
    ((definition,),) = move.query(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'c'::regclass"
    )
    assert (
        definition == "FOREIGN KEY (a, b) REFERENCES p(a, b) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID"
    )


NOCASE = """
CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT COLLATE NOCASE UNIQUE);
INSERT INTO t (v) VALUES ('Ann'), ('bob');
"""


def test_nocase_is_told_or_becomes_an_index_on_small_letters(move: Move) -> None:
    move.make(NOCASE)
    assert [row["kind"] for row in move.copy()["review"]] == ["index"]
    move.copy(columns=[{"name": "t.v", "nocase": "lower"}], replace=["t"])
    assert move.query("SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%lower%'") == []


def test_nocase_in_a_new_table(move: Move) -> None:
    move.make(NOCASE)
    assert move.copy(columns=[{"name": "t.v", "nocase": "lower"}])["review"] == []
    with pytest.raises(Exception, match="duplicate key"):
        move.query("INSERT INTO t (v) VALUES ('ANN')")


def test_what_is_not_copied_is_named(move: Move) -> None:
    move.make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT DEFAULT (strftime('%s')), w INT DEFAULT 5,"
        ' x TEXT DEFAULT "odd",'
        " g INT GENERATED ALWAYS AS (w + 1) VIRTUAL, h INT AS (w) STORED, CHECK (w > 0));"
        "INSERT INTO t (v) VALUES ('a'); CREATE INDEX e ON t (w + 1); CREATE INDEX p ON t (w) WHERE w > 3;"
        "CREATE VIEW vv AS SELECT * FROM t; CREATE TRIGGER tt AFTER INSERT ON t BEGIN SELECT 1; END;"
        "CREATE VIRTUAL TABLE f USING fts5(body); INSERT INTO f VALUES ('x');"
    )
    result = move.copy()
    assert move.tables() == ["t"]
    found = {(row["kind"], row["name"]) for row in result["review"]}
    assert found >= {
        ("generated column", "t.g"),
        ("generated column", "t.h"),
        ("default", "t.v"),
        ("default", "t.x"),
        ("check", "t"),
        ("index", "e"),
        ("index", "p"),
        ("view", "vv"),
        ("trigger", "tt"),
        ("virtual table", "f"),
        ("table", "f_data"),
    }
    assert move.query("SELECT * FROM t") == [(1, "a", 5, "odd")]
    assert move.query("INSERT INTO t DEFAULT VALUES RETURNING w, v, x") == [(5, None, None)]


def test_names_stay_as_they_are(move: Move) -> None:
    move.make(
        'CREATE TABLE "Order" ("Select" INTEGER PRIMARY KEY, "a%b ""c""" TEXT, "ünï" INT);'
        "INSERT INTO \"Order\" VALUES (1, 'x', 2)"
    )
    move.copy()
    assert move.query('SELECT "Select", "a%b ""c""", "ünï" FROM "Order"') == [(1, "x", 2)]


def test_names_that_postgresql_would_cut(move: Move) -> None:
    long = "n" * 63
    move.make(f"CREATE TABLE {long}a (id INTEGER PRIMARY KEY); CREATE TABLE {long}b (id INTEGER PRIMARY KEY)")
    assert move.refused() == [("name_collision", long, "", 2)]
    assert notices(move.copy(exclude=[f"{long}b"])) == [("name_cut", 1)]
    assert move.tables() == [long]


def test_more_columns_than_postgresql_takes(move: Move) -> None:
    names = ", ".join(f"c{i} INT" for i in range(1601))
    move.make(f"CREATE TABLE t ({names})")
    assert move.refused() == [("too_many_columns", "t", "", 1601)]


def test_as_many_columns_as_postgresql_takes(move: Move) -> None:
    names = ", ".join(f"c{i} INT" for i in range(1600))
    move.make(f"CREATE TABLE t ({names})", ("INSERT INTO t (c0, c1599) VALUES (?, ?)", [(1, 2)]))
    move.copy()
    assert move.query("SELECT c0, c1, c1599 FROM t") == [(1, None, 2)]


def test_a_source_that_is_in_use_with_a_wal(move: Move) -> None:
    with closing(sqlite3.connect(move.path)) as writer:
        writer.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"
        )
        writer.execute("INSERT INTO t (v) VALUES ('in the wal')")
        writer.commit()
        assert move.path.with_name("app.db-wal").stat().st_size
        writer.execute("INSERT INTO t (v) VALUES ('not committed')")
        move.copy()
    assert there(move) == ["in the wal"]


def test_blobs_among_texts_are_never_taken_for_texts(move: Move) -> None:
    values(move, "TEXT", "a", "b", b"c")
    assert move.refused(columns=[{"name": "t.v", "invalid": "null"}]) == [("mixed_bytes", "t", "v", 1)]


def test_a_target_with_few_decimals_rounds_only_when_it_may(move: Move) -> None:
    values(move, "REAL", 1.25, 1.005)
    move.query("CREATE TABLE t (id bigint PRIMARY KEY, v numeric(8,2))")
    error = move.error()
    assert error.code == "would_round", error
    assert move.query("SELECT count(*) FROM t") == [(0,)]
    result = move.copy(columns=[{"name": "t.v", "type": "numeric"}], replace=["t"])
    assert result["tables"][0]["altered"] == {"v rounded": 1}


def test_a_target_with_small_integers(move: Move) -> None:
    values(move, "INT", 1, 40000)
    move.query("CREATE TABLE t (id bigint PRIMARY KEY, v smallint)")
    assert [row["code"] for row in move.error().details["refused"]] == ["integer_range"]
    move.copy(columns=[{"name": "t.v", "invalid": "null"}])
    assert there(move) == [1, None]


def test_a_dropped_table_is_copied_anew(move: Move) -> None:
    values(move, "INT", 1)
    move.copy()
    move.query("DROP TABLE t")
    assert move.copy()["state"] == "copied"
    assert there(move) == [1]
