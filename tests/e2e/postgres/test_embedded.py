# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded PostgreSQL of the role on the real cluster: made, changed while it runs, restarted, killed."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import ssl
import struct
import subprocess
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import tunnel_to
from tests.e2e.conftest import ROOT, kubectl

_ROLE = Path(__file__).parent / "role.yml"
_STATUS, _REMOVE = _ROLE.with_name("status.yml"), _ROLE.with_name("remove.yml")
_RECAP = re.compile(r": ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=(\d+)")
_SET = {"work_mem": "3MB", "max_connections": 60}


@dataclass
class Ran:
    code: int
    output: str

    @property
    def changed(self) -> int:
        found = _RECAP.search(self.output)
        assert found is not None, self.output
        return int(found[1])


def decoded(value: str) -> str:
    """The text of a value in a Secret."""
    return b64decode(value).decode()


@dataclass(frozen=True)
class Embedded:
    """The role in a namespace of its own."""

    namespace: str
    superuser: str = "postgres"
    app: str = "shop"

    def play(self, *arguments: str, file: Path = _ROLE, **variables: Any) -> Ran:
        command = [*self.command(file, **variables), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        return Ran(done.returncode, done.stdout + done.stderr)

    def command(self, file: Path, **variables: Any) -> list[str]:
        """What plays a file with the settings of this server."""
        settings = {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "app_namespace": self.namespace,
            "postgres_mode": "embedded",
            "postgres_image": "golive.test/postgres",
            "postgres_version": "15",
            "postgres_storage": "1Gi",
            "postgres_resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            **variables,
        }
        return ["ansible-playbook", "-i", f"{self.app},", "-c", "local", str(file), "-e", json.dumps(settings)]

    def sql(self, text: str) -> str:
        """What the server itself answers, without our code."""
        pod = ("exec", "-n", self.namespace, f"{self.app}-postgres-0", "--")
        return kubectl(*pod, "psql", "-U", self.superuser, "-d", self.app, "-Atc", text).strip()

    def login(self, of: str = "") -> dict[str, str]:
        """Name and password of a login, from its Secret; ``of`` is what its name ends with."""
        data = json.loads(self.get(f"secret/{self.app}-postgres{of}", "{.data}"))
        return {"user": decoded(data["username"]), "password": decoded(data["password"])}

    def connect(self, at: str, port: int, of: str = "", **options: Any) -> psycopg2.extensions.connection:
        """A session through a tunnel that ends ``at`` and ``port``; TLS is asked for unless it says otherwise."""
        login = {"dbname": self.app, "sslmode": "require", **self.login(of), **options}
        session = psycopg2.connect(hostaddr=at, port=port, connect_timeout=20, **login)
        session.autocommit = True
        return session

    @contextmanager
    def tunnel(self) -> Iterator[tuple[str, int]]:
        """A way to the server from here."""
        target = {"namespace": self.namespace, "service": f"{self.app}-postgres"}
        params = {"kubeconfig": os.environ.get("KUBECONFIG"), "context": None}
        with connected(call_for_tests(params)) as client, tunnel_to(client, target, 5432) as address:
            yield address

    def get(self, what: str, path: str) -> str:
        return kubectl("-n", self.namespace, "get", what, "-o", f"jsonpath={path}")

    def versions(self) -> dict[str, str]:
        """Resource versions of what the role makes, but of what the cluster writes status into, and the generation."""
        kinds = "configmaps,secrets,services,networkpolicies,serviceaccounts"
        items = json.loads(kubectl("-n", self.namespace, "get", kinds, "-o", "json"))["items"]
        rows = {f"{row['kind']}/{row['metadata']['name']}": row["metadata"]["resourceVersion"] for row in items}
        return {**rows, "generation": self.get(f"statefulset/{self.app}-postgres", "{.metadata.generation}")}


@pytest.fixture(scope="module")
def embedded(cluster: dict[str, str]) -> Iterator[Embedded]:
    made = Embedded(f"golive-postgres-{secrets.token_hex(4)}")
    kubectl("create", "namespace", made.namespace)
    yield made
    kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


@pytest.fixture(scope="module")
def running(embedded: Embedded) -> Embedded:
    """Made by the quartet: check, run, check, run."""
    planned = embedded.play("--check")
    assert (planned.code, planned.changed > 0) == (0, True), planned.output
    assert kubectl("-n", embedded.namespace, "get", "statefulsets,configmaps,pvc", "-o", "name").split() == [
        "configmap/kube-root-ca.crt"
    ]
    made = embedded.play()
    assert (made.code, made.changed) == (0, 6), made.output
    before = embedded.versions()
    for arguments in (("--check",), ()):
        again = embedded.play(*arguments)
        assert (again.code, again.changed) == (0, 0), again.output
    assert embedded.versions() == before
    return embedded


def test_it_fits_its_container_and_guards_its_data(running: Embedded) -> None:
    assert running.sql("SHOW shared_buffers") == "64MB"
    assert running.sql("SHOW data_checksums") == "on"
    assert running.sql("SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == "0"
    assert running.get("poddisruptionbudget/shop-postgres", "{.status.disruptionsAllowed}") == "0"
    passwords = {one: running.login(one)["password"] for one in ("", "-owner", "-reader", "-admin")}
    assert {len(password) for password in passwords.values()} == {32}
    assert len(set(passwords.values())) == len(passwords)


def test_each_login_may_what_it_is_for(running: Embedded) -> None:
    superusers = running.sql("SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper")
    assert superusers == running.login("-admin")["user"] == "postgres"
    assert running.login() != running.login("-owner")
    with running.tunnel() as (host, port):

        def says(of: str, *statements: str) -> object:
            with closing(running.connect(host, port, of)) as session, session.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchone() if cursor.description else None

        says("-owner", "CREATE TABLE wares (name text)")
        says("", "INSERT INTO wares VALUES ('tea')")
        assert says("-reader", "SELECT name FROM wares") == ("tea",)
        # Statistics of others are shown to whoever monitors, and to whoever migrates.
        for of in ("-reader", "-owner"):
            assert says(of, "SELECT pg_has_role('pg_read_all_stats', 'USAGE')") == (True,)
        for of, statement in (
            ("", "CREATE TABLE other (n int)"),
            ("", "DROP TABLE wares"),
            ("-reader", "INSERT INTO wares VALUES ('sugar')"),
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                says(of, statement)
        says("-owner", "DROP TABLE wares")


def test_nobody_logs_in_without_tls_and_clients_can_verify_the_server(running: Embedded, tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text(running.get("configmap/shop-postgres-ca", r"{.data.ca\.crt}"))
    verified = {"sslmode": "verify-full", "sslrootcert": str(authority), "host": "shop-postgres"}
    with running.tunnel() as (host, port):
        for of in ("", "-owner", "-reader", "-admin"):
            with pytest.raises(psycopg2.OperationalError, match="no encryption"):
                running.connect(host, port, of, sslmode="disable")
            running.connect(host, port, of, **verified).close()
        # No way around the Service's name, an old protocol, another database, or a login that is at rest.
        for options, said in (
            ({**verified, "host": "shop-postgres.example.org"}, "does not match host name"),
            ({"ssl_min_protocol_version": "TLSv1.1", "ssl_max_protocol_version": "TLSv1.1"}, "protocol|alert"),
            ({"dbname": "postgres"}, "no pg_hba.conf entry"),
            ({"user": "shop_b"}, "password authentication failed|not permitted to log in"),
        ):
            with pytest.raises(psycopg2.OperationalError, match=said):
                running.connect(host, port, **options)


def test_a_new_certificate_is_read_without_a_restart(running: Embedded) -> None:
    began = running.sql("SELECT pg_postmaster_start_time()")
    with running.tunnel() as address:
        before = shown_certificate(*address)
    done = running.play(postgres_tls_renew=True)
    assert done.code == 0, done.output
    with running.tunnel() as address:
        after = shown_certificate(*address)
    kept = running.get("secret/shop-postgres-tls", r"{.data.tls\.crt}")
    assert before != after == ssl.PEM_cert_to_DER_cert(decoded(kept))
    assert running.sql("SELECT pg_postmaster_start_time()") == began
    assert running.play().changed == 0


def shown_certificate(host: str, port: int) -> bytes:
    """What the server shows whoever asks for TLS (PostgreSQL documentation, SSL Session Encryption)."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=10) as plain:
        plain.sendall(struct.pack("!ii", 8, 80877103))
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain) as secured:
            return secured.getpeercert(binary_form=True) or b""


def test_status_asks_as_whoever_monitors(running: Embedded) -> None:
    status = running.play(file=_STATUS, postgres_health={"ignore": ["disk_free"]})
    assert (status.code, status.changed) == (0, 0), status.output
    assert '"shop               healthy ' in status.output, status.output


def test_the_data_is_not_removed_unasked(running: Embedded) -> None:
    refused = running.play(file=_REMOVE)
    assert refused.code != 0
    assert "postgres_confirm_delete=shop" in " ".join(refused.output.split())
    assert running.sql("SELECT 1") == "1"
    # A word for another app is none for this one.
    assert running.play(file=_REMOVE, postgres_confirm_delete="search").code != 0
    planned = running.play("--check", file=_REMOVE, postgres_confirm_delete="shop")
    assert (planned.code, planned.changed) == (0, 3), planned.output


def test_settings_are_planned_then_read_and_a_restart_waits_for_leave(running: Embedded) -> None:
    before = running.versions()
    planned = running.play("--check", "--diff", postgres_settings=_SET)
    assert '"60 (restart)"' in planned.output
    assert '"3MB (reload)"' in planned.output
    assert running.versions() == before

    began = running.sql("SELECT pg_postmaster_start_time()")
    done = running.play(postgres_settings=_SET)
    assert done.code == 0, done.output
    assert "wait for a restart: max_connections" in done.output
    assert running.sql("SELECT pg_postmaster_start_time()") == began
    assert (running.sql("SHOW work_mem"), running.sql("SHOW max_connections")) == ("3MB", "51")
    assert running.play(postgres_settings=_SET).changed == 0

    restarted = running.play(postgres_settings=_SET, postgres_restart=True)
    assert restarted.code == 0, restarted.output
    assert running.sql("SHOW max_connections") == "60"
    again = running.play(postgres_settings=_SET, postgres_restart=True)
    assert (again.code, again.changed) == (0, 0), again.output


def test_a_wrong_setting_is_refused_before_anything_changes(running: Embedded) -> None:
    before = running.versions()
    refused = running.play(postgres_settings={**_SET, "shared_bufers": "64MB", "work_mem": "a lot"})
    assert refused.code != 0
    assert "did you mean shared_buffers?" in refused.output
    assert "'a lot' is no number" in refused.output
    assert running.versions() == before


def test_extensions_and_further_lines_of_pg_hba_are_had_without_a_restart(running: Embedded) -> None:
    own: dict[str, Any] = {
        "postgres_settings": _SET,
        "postgres_extensions": [{"name": "pg_trgm"}, {"name": "citext", "schema": "public"}],
        "postgres_hba": ["hostssl shop shop_auditor 10.0.0.0/8 cert", "hostssl postgres +shop_app all scram-sha-256"],
    }
    began = running.sql("SELECT pg_postmaster_start_time()")
    before = running.versions()
    planned = running.play("--check", **own)
    assert (planned.code, planned.changed > 0) == (0, True), planned.output
    assert running.versions() == before
    done = running.play(**own)
    assert done.code == 0, done.output
    assert running.sql("SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension") == "citext pg_trgm plpgsql"
    # The first lines that fit decide: those of the role come before.
    assert running.sql("SELECT array_to_string(user_name, ',') FROM pg_hba_file_rules ORDER BY line_number").split()[
        -2:
    ] == ["shop_auditor", "+shop_app"]
    assert running.sql("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == "0"
    with running.tunnel() as (host, port):
        running.connect(host, port, dbname="postgres").close()
    assert running.sql("SELECT pg_postmaster_start_time()") == began
    again = running.play(**own)
    assert (again.code, again.changed) == (0, 0), again.output

    missing = running.play(**{**own, "postgres_extensions": [{"name": "postgis_of_nobody"}]})
    assert missing.code != 0
    assert "postgis_of_nobody" in missing.output
    wrong = running.play(**{**own, "postgres_hba": ["hostssl shop nobody 10.0.0.0/8 scram"]})
    assert wrong.code != 0
    assert "'scram' is no method" in wrong.output
    assert running.sql("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == "0"
    # Extensions stay: tables may use them. The lines go.
    assert running.play(postgres_settings=_SET).code == 0
    with running.tunnel() as (host, port), pytest.raises(psycopg2.OperationalError, match=r"no pg_hba\.conf entry"):
        running.connect(host, port, dbname="postgres")


def test_another_major_version_is_refused_before_anything_changes(running: Embedded) -> None:
    before = running.versions()
    refused = running.play(postgres_settings=_SET, postgres_version="16")
    assert refused.code != 0
    assert "its files cannot be read by 16" in " ".join(refused.output.split())
    assert running.versions() == before


def test_the_volume_grows_and_never_shrinks(running: Embedded) -> None:
    claim = "pvc/data-shop-postgres-0"
    settings = {**_SET, "max_wal_size": "128MB", "min_wal_size": "32MB"}
    grown = running.play(postgres_settings=settings, postgres_storage="2Gi")
    assert grown.code == 0, grown.output
    assert running.get(claim, "{.spec.resources.requests.storage}") == "2Gi"
    assert running.play(postgres_settings=settings, postgres_storage="2Gi").changed == 0
    shrunk = running.play(postgres_settings=settings, postgres_storage="1Gi")
    assert shrunk.code != 0
    assert running.get(claim, "{.spec.resources.requests.storage}") == "2Gi"


@pytest.mark.faults
def test_a_killed_server_loses_no_acknowledged_commit(running: Embedded) -> None:
    running.sql("SET ROLE shop_owner; CREATE TABLE ledger (n int PRIMARY KEY)")
    acknowledged: list[int] = []
    stop = threading.Event()
    writer = threading.Thread(target=_write, args=(running, acknowledged, stop))
    writer.start()
    try:
        for kill in (_kill_processes, _kill_pod):
            _await_rows(acknowledged, 200)
            kill(running)
        _await_rows(acknowledged, 50)
    finally:
        stop.set()
        writer.join()
    there = {int(line) for line in running.sql("SELECT n FROM ledger").split()}
    assert set(acknowledged) <= there
    assert len(acknowledged) >= 450


def _kill_processes(embedded: Embedded) -> None:
    """All but the postmaster, which nothing inside of its container can kill."""
    pod = ("exec", "-n", embedded.namespace, "shop-postgres-0", "--")
    # One may end before it is its turn.
    each = 'set -- $(cat "$s" 2>/dev/null); [ "$4" != 1 ] || kill -9 "$1" 2>/dev/null || true'
    kubectl(*pod, "sh", "-c", f"for s in /proc/[0-9]*/stat; do {each}; done")
    end = time.monotonic() + 60
    while "terminated by signal 9" not in kubectl("-n", embedded.namespace, "logs", "shop-postgres-0"):
        assert time.monotonic() < end, "nothing was killed"
        time.sleep(0.2)


def _kill_pod(embedded: Embedded) -> None:
    """SIGKILL to everything, without a grace period."""
    kubectl("-n", embedded.namespace, "delete", "pod", "shop-postgres-0", "--grace-period=0", "--force")


def _await_rows(acknowledged: list[int], more: int) -> None:
    wanted, end = len(acknowledged) + more, time.monotonic() + 120
    while len(acknowledged) < wanted:
        assert time.monotonic() < end, f"{len(acknowledged)} of {wanted} rows"
        time.sleep(0.2)


def _write(embedded: Embedded, acknowledged: list[int], stop: threading.Event) -> None:
    """One row after the other, each in its own commit, through a tunnel; numbers that were acknowledged."""
    number = 0
    while not stop.is_set():
        try:
            with (
                embedded.tunnel() as address,
                closing(embedded.connect(*address)) as session,
                session.cursor() as cursor,
            ):
                while not stop.is_set():
                    number += 1
                    cursor.execute("INSERT INTO ledger VALUES (%s)", (number,))
                    acknowledged.append(number)
        except Exception:
            stop.wait(0.2)
