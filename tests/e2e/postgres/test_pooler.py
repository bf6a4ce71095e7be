# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PgBouncer before the embedded PostgreSQL: who gets through it, how few connections it takes, and its end."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import tunnel_to
from ansible_collections.golive.cutover.plugins.modules import db_migrate
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.postgres.test_embedded import Embedded, Ran

_NAME = "shop-postgres-pooler"
_ROTATE = Path(__file__).with_name("rotate.yml")
_KINDS = "deployments,services,configmaps,poddisruptionbudgets,networkpolicies,secrets"


@cache
def _image() -> tuple[str, str]:
    """Name and version of the pooler's image, built where it is missing."""
    built = subprocess.run(
        [ROOT / "tests/images/build", "pgbouncer", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    name, _colon, version = str(json.loads(Path(built.stdout.strip()).read_text())["pgbouncer"]).rpartition(":")
    return name, version


class Pooled(Embedded):
    """The same with a pooler, whose idle connections end soon."""

    def command(self, file: Path, **variables: Any) -> list[str]:
        name, version = _image()
        settings = {
            "postgres_pooler": True,
            "postgres_pooler_image": name,
            "postgres_pooler_version": version,
            "postgres_pooler_settings": {"server_idle_timeout": 2},
            **variables,
        }
        return super().command(file, **settings)

    @contextmanager
    def pool(self) -> Iterator[tuple[str, int]]:
        """A way to one pod of the pooler from here."""
        target = {"namespace": self.namespace, "service": _NAME, "port": "5432"}
        params = {"kubeconfig": os.environ.get("KUBECONFIG"), "context": None}
        with connected(call_for_tests(params)) as client, tunnel_to(client, target, 5432) as address:
            yield address

    def objects(self) -> list[str]:
        """Names of what belongs to the pooler."""
        names = kubectl("-n", self.namespace, "get", _KINDS, "-o", "name").split()
        return sorted(name for name in names if name.partition("/")[2].startswith(_NAME))


@pytest.fixture(scope="module")
def pooled(cluster: dict[str, str]) -> Iterator[Pooled]:
    made = Pooled(f"golive-pooler-{secrets.token_hex(4)}")
    kubectl("create", "namespace", made.namespace)
    yield made
    kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


@pytest.fixture(scope="module")
def running(pooled: Pooled) -> Pooled:
    """Made by the quartet: check, run, check, run."""
    planned = pooled.play("--check")
    assert (planned.code, planned.changed > 0) == (0, True), planned.output
    assert pooled.objects() == []
    made = pooled.play()
    assert made.code == 0, made.output
    for key in ("password", "username"):
        assert pooled.get(f"secret/{_NAME}", f"{{.data.{key}}}")
    assert pooled.login("-pooler")["password"] not in made.output
    before = (pooled.versions(), pooled.get(f"deployment/{_NAME}", "{.metadata.generation}"))
    for arguments in (("--check",), ()):
        again = pooled.play(*arguments)
        assert (again.code, again.changed) == (0, 0), again.output
    assert (pooled.versions(), pooled.get(f"deployment/{_NAME}", "{.metadata.generation}")) == before
    return pooled


def test_only_the_app_gets_through_and_only_with_tls(running: Pooled, tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text(running.get("configmap/shop-postgres-ca", r"{.data.ca\.crt}"))
    verified = {"sslmode": "verify-full", "sslrootcert": str(authority), "host": _NAME}
    with running.pool() as (host, port):
        with closing(running.connect(host, port, **verified)) as session, session.cursor() as cursor:
            cursor.execute("SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            assert cursor.fetchone() == (running.login()["user"], True)
        for of, options, said in (
            ("", {"sslmode": "disable"}, "SSL required"),
            ("", {**verified, "host": "shop-postgres"}, "does not match host name"),
            ("", {"password": "wrong"}, "password authentication failed|SASL authentication failed"),
            # The login at rest, those of others, the superuser, and a database that is not the app's.
            ("", {"user": "shop_b"}, "no such user"),
            ("-owner", {}, "no such user"),
            ("-reader", {}, "no such user"),
            ("-admin", {}, "no such user"),
            ("", {"dbname": "postgres"}, "no pg_hba.conf entry"),
            ("-pooler", {}, "no pg_hba.conf entry"),
        ):
            with pytest.raises(psycopg2.OperationalError, match=said):
                running.connect(host, port, of, **options).close()


def test_its_own_login_reads_no_password_but_by_its_function(running: Pooled) -> None:
    with running.tunnel() as (host, port):
        with closing(running.connect(host, port, "-pooler", dbname="postgres")) as session:
            cursor = session.cursor()
            cursor.execute("SELECT count(*) FROM golive_pooler.stored_password('shop_a')")
            assert cursor.fetchone() == (1,)
            cursor.execute("SELECT count(*) FROM golive_pooler.stored_password('postgres')")
            assert cursor.fetchone() == (0,)
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("SELECT rolpassword FROM pg_authid")
        with pytest.raises(psycopg2.OperationalError, match=r"no pg_hba.conf entry"):
            running.connect(host, port, "-pooler")


def test_many_clients_share_few_connections(running: Pooled) -> None:
    """51 connections of a server of 256 MiB leave each of two pods floor(0.8 * 48 / 3) - 2 = 10."""
    most = running.get(f"configmap/{_NAME}", r"{.data.pgbouncer\.ini}")
    assert "default_pool_size = 10\n" in most
    assert "max_db_connections = 10\n" in most
    with running.pool() as (host, port), ExitStack() as stack:
        sessions = [stack.enter_context(closing(running.connect(host, port))) for _number in range(60)]
        backends = set()
        for session in sessions:
            with session.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                backends.add(cursor.fetchone())
        assert len(backends) <= 10
        assert int(running.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop_a'")) <= 10


def test_prepared_statements_work_in_transaction_mode(running: Pooled) -> None:
    """Those of the protocol, which drivers send; psycopg2 sends none, so that the server's own client does."""
    login = running.login()
    where = f"host={_NAME} dbname=shop sslmode=require user={login['user']} password={login['password']}"
    pgbench = (
        "printf 'SELECT 1;' > /tmp/one.sql; pgbench -n -M prepared -c 20 -t 20 -f /tmp/one.sql \"$0\" 2>&1",
        where,
    )
    said = kubectl("exec", "-n", running.namespace, "shop-postgres-0", "--", "sh", "-c", *pgbench)
    assert "number of transactions actually processed: 400/400" in said, said
    assert "number of failed transactions: 0 " in said, said


def test_migrations_through_it_are_refused(running: Pooled, tmp_path: Path) -> None:
    (tmp_path / "0001_wares.sql").write_text("CREATE TABLE wares (name text);\n")
    # The owner does not get through at all, and the app is given what a wrong setup would.
    running.sql("GRANT USAGE, CREATE ON SCHEMA golive, public TO shop_app")
    spec = db_migrate.SPEC["argument_spec"]
    with running.pool() as (host, port):
        options = {
            **{name: option.get("default") for name, option in spec.items()},
            "path": str(tmp_path),
            "postgresql": {"host": host, "port": port, "database": "shop", "sslmode": "require", **running.login()},
        }
        with pytest.raises(GoliveError) as caught:
            db_migrate.run(call_for_tests(options))
    assert caught.value.code == "pooled", caught.value
    assert running.sql("SELECT to_regclass('wares') IS NULL") == "t"
    running.sql("DROP OWNED BY shop_a; REVOKE CREATE ON SCHEMA golive, public FROM shop_app")
    running.sql("REVOKE USAGE ON SCHEMA golive FROM shop_app")


@pytest.mark.series
def test_passwords_change_and_nobody_fails_to_log_in_through_it(running: Pooled, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    before = running.login()
    tries: list[tuple[str, str]] = []
    ended = threading.Event()

    def work() -> None:
        with running.pool() as (host, port):
            while not ended.is_set():
                login = running.login()
                try:
                    with closing(running.connect(host, port, **login)) as session, session.cursor() as cursor:
                        cursor.execute("SELECT 1")
                    tries.append((login["user"], "ok"))
                    if login != before:
                        moved.touch()
                except psycopg2.Error as error:
                    tries.append((login["user"], str(error)))
                # Each look at the Secret takes a process, and the run needs the machine too.
                ended.wait(0.3)

    client = threading.Thread(target=work)
    client.start()
    try:
        rotated = running.play(file=_ROTATE, clients_moved=str(moved))
    finally:
        ended.set()
        client.join(60)
    assert rotated.code == 0, rotated.output
    assert Counter(said for _user, said in tries) == {"ok": len(tries)}
    assert {user for user, _said in tries} == {"shop_a", "shop_b"}
    with running.pool() as (host, port):
        with pytest.raises(psycopg2.OperationalError, match=r"no such user|authentication failed"):
            running.connect(host, port, **before)
        running.connect(host, port).close()


def test_it_needs_an_image_and_room_on_the_server(running: Pooled) -> None:
    before = running.versions()

    def refused(**variables: Any) -> str:
        done: Ran = running.play(**variables)
        assert done.code != 0
        return " ".join(done.output.split())

    assert "needs postgres_pooler_image" in refused(postgres_pooler_image="")
    assert "30 pods of a pooler are too many" in refused(postgres_pooler_replicas=30)
    assert running.versions() == before


def test_it_goes_and_its_name_leads_to_the_server(running: Pooled) -> None:
    gone = running.play(postgres_pooler=False)
    assert gone.code == 0, gone.output
    assert running.objects() == [f"service/{_NAME}"]
    assert running.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'shop_pooler'") == "0"
    # A release of before has this name, and verifies it.
    login = running.login()
    parts = {"host": _NAME, "dbname": "shop", "sslmode": "verify-full", "sslrootcert": "/tmp/ca.crt", **login}
    authority = running.get("configmap/shop-postgres-ca", r"{.data.ca\.crt}")
    pod = ("exec", "-i", "-n", running.namespace, "shop-postgres-0", "--")
    kubectl(*pod, "sh", "-c", "cat > /tmp/ca.crt", stdin=authority)
    where = " ".join(f"{key}={value}" for key, value in parts.items())
    assert kubectl(*pod, "psql", where, "-Atc", "SELECT current_user").strip() == login["user"]
    again = running.play(postgres_pooler=False)
    assert (again.code, again.changed) == (0, 0), again.output
