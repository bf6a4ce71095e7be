# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exporter reads with the reader's rights from a real server: bloat, and migrations."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._migrate import exported as of_migrations
from ansible_collections.golive.cutover.plugins.module_utils._postgres import exported as of_database
from ansible_collections.golive.cutover.plugins.modules import db_migrate
from tests.integration.pg_access.conftest import Place, standard


@pytest.fixture
def reader(place: Place, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The reader's login; where the server is stands in the environment, as in the exporter's pod."""
    place.run(logins=standard(place))
    where = {"HOST": "127.0.0.1", "PORT": str(place.server.port), "DATABASE": place.name, "SSLMODE": "disable"}
    for name, value in where.items():
        monkeypatch.setenv(f"PG{name}", value)
    return {"user": f"{place.name}_metrics", "password": place.password("metrics")}


def bloat(reader: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Share and bytes by table."""
    told = of_database.read_bloat(reader)
    assert told.faults == {}
    found = {(one.name, one.labels["relname"]): one.value for one in told.samples["bloat"]}
    tables = {table for _name, table in found}
    return {table: (found[of_database.RATIO, table], found[of_database.BYTES, table]) for table in tables}


def test_bloat_is_what_deleted_rows_have_left(place: Place, reader: dict[str, str]) -> None:
    place.as_("migrate", "CREATE TABLE notes (id bigint PRIMARY KEY, done boolean, body text, at timestamptz)")
    place.as_(
        "migrate",
        "INSERT INTO notes SELECT i, nullif(i % 3 = 0, true), repeat('x', 20 + i % 60), now() FROM"
        " generate_series(1, 60000) i",
    )
    place.as_("migrate", "CREATE TABLE small (id bigint)")
    assert bloat(reader) == {}, "nobody has analysed them"
    place.as_("migrate", "VACUUM ANALYZE notes")
    assert bloat(reader)["public.notes"][0] < 0.06
    place.as_("migrate", "DELETE FROM notes WHERE id % 4 <> 0")
    place.as_("migrate", "VACUUM ANALYZE notes")
    ((table, (share, size)),) = bloat(reader).items()
    ((whole,),) = place.admin("SELECT pg_relation_size('notes')", place.name)
    assert table == "public.notes"
    assert share == pytest.approx(0.75, abs=0.03)
    assert size == pytest.approx(share * whole, rel=0.01)
    place.as_("migrate", "VACUUM FULL ANALYZE notes")
    assert bloat(reader)["public.notes"][0] < 0.06


def test_a_query_that_waits_for_a_lock_hides_no_other(place: Place, reader: dict[str, str]) -> None:
    told = of_database.read_facts(reader)
    assert told.faults == {}
    assert {one.name for samples in told.samples.values() for one in samples} == set(of_database.SHOWN)
    place.as_("migrate", "CREATE TABLE notes (id serial)")
    with closing(place.connect("migrate")) as session, session.cursor() as cursor:
        session.autocommit = False
        cursor.execute("ALTER SEQUENCE notes_id_seq CACHE 2")
        told = of_database.read_facts(reader)
        session.rollback()
    assert set(told.faults) == {"sequence_used"}
    assert told.samples["invalid_indexes"][0].value == 0


def test_a_migration_that_did_not_end_has_failed(place: Place, reader: dict[str, str], tmp_path: Any) -> None:
    assert of_migrations.read_migrations(reader).samples == {"migrations": []}
    table = "CREATE TABLE notes (id bigint);\nINSERT INTO notes VALUES (1), (1);\n"
    tmp_path.joinpath("0001_notes.sql").write_text(table)
    spec = {name: option.get("default") for name, option in db_migrate.SPEC["argument_spec"].items()}
    owner = {"user": f"{place.name}_migrate", "password": place.password("migrate"), "sslmode": "disable"}
    where = {"host": "127.0.0.1", "port": place.server.port, "database": place.name, "connect_timeout": 10}
    options = {**spec, "path": str(tmp_path), "postgresql": {**where, **owner}}

    def states() -> set[tuple[str, str]]:
        found = of_migrations.read_migrations(reader).samples["migrations"]
        assert {one.labels["migration"] for one in found if one.name == of_migrations.STARTED} == {
            one.labels["migration"] for one in found
        }
        return {
            (one.labels["migration"], one.labels["state"])
            for one in found
            if one.name == of_migrations.STATE and one.value == 1
        }

    db_migrate.run(call_for_tests(options))
    assert states() == {("0001_notes.sql", "applied")}
    tmp_path.joinpath("0002_unique.sql").write_text("CREATE UNIQUE INDEX CONCURRENTLY notes_id ON notes (id);\n")
    with pytest.raises(Exception, match=r"0002_unique\.sql"):
        db_migrate.run(call_for_tests(options))
    assert states() == {("0002_unique.sql", "failed")}
    place.as_("migrate", "DELETE FROM notes")
    db_migrate.run(call_for_tests(options))
    assert states() == {("0002_unique.sql", "applied")}
