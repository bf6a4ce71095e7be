# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tunnel into a real pod: many connections, much data, pods that die, and reasons when it does not open."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call, call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address, tunnel
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import await_pod
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect, settings
from tests.e2e.conftest import kubectl
from tests.e2e.migrate.conftest import NAME, Stand

SERVICE = f"service/{NAME}"


@pytest.fixture
def client(call: Call) -> Iterator[Client]:
    with connected(call) as made:
        yield made


def session(stand: Stand, address: Address) -> Any:
    host, port = address
    connection = psycopg2.connect(host=host, port=port, dbname="shop", user="shop", password=stand.password)
    connection.autocommit = True
    return connection


def value(connection: Any, sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def test_parallel_connections_and_large_transfers_both_ways(stand: Stand, client: Client) -> None:
    size = 4_000_000
    before = set(threading.enumerate())

    def work(number: int) -> None:
        connection = session(stand, address)
        down = value(connection, "SELECT repeat(%s, %s)", str(number), size)
        assert down == str(number) * size
        up = bytes([number]) * size
        assert value(connection, "SELECT md5(%s)", psycopg2.Binary(up)) == hashlib.md5(up).hexdigest()
        connection.close()

    with tunnel(client, stand.namespace, SERVICE, "sql") as address:
        assert address[0] == "127.0.0.1"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(1, 9)))
        assert address.trouble is None
    assert set(threading.enumerate()) <= before
    with pytest.raises(psycopg2.OperationalError):
        session(stand, address)


def test_a_named_pod_and_its_named_port(stand: Stand, client: Client) -> None:
    with tunnel(client, stand.namespace, f"pod/{stand.pod()}", "sql") as address:
        connection = session(stand, address)
        assert value(connection, "SELECT 1") == 1
        connection.close()


def test_leaving_ends_connections_that_are_still_open(stand: Stand, client: Client) -> None:
    start = time.monotonic()
    with tunnel(client, stand.namespace, SERVICE, 5432) as address:
        connection = session(stand, address)
    assert time.monotonic() - start < 5
    with pytest.raises(psycopg2.OperationalError):
        value(connection, "SELECT 1")


def test_a_port_where_nobody_listens(stand: Stand, client: Client) -> None:
    with (
        pytest.raises(GoliveError) as caught,
        tunnel(client, stand.namespace, SERVICE, "nothing") as address,
        connect(call_for_tests({}), settings({"database": "shop", "user": "shop"}, address=address)),
    ):
        pass
    assert caught.value.code == "port_closed"
    assert "refused" in caught.value.message


def test_a_service_or_port_that_is_not_there(stand: Stand, client: Client) -> None:
    for target, port, code in (("service/none", 1, "not_found"), (SERVICE, 5433, "no_such_port")):
        with pytest.raises(GoliveError) as caught, tunnel(client, stand.namespace, target, port):
            pass
        assert caught.value.code == code


def test_a_pod_that_is_not_ready(stand: Stand, client: Client) -> None:
    kubectl("create", "service", "clusterip", "empty", "--tcp=80", "-n", stand.namespace)
    with pytest.raises(GoliveError) as caught, tunnel(client, stand.namespace, "service/empty", 80):
        pass
    assert caught.value.code == "no_ready_pod"
    assert "no pod matches its selector app=empty" in caught.value.message


def test_without_the_right_to_forward(stand: Stand) -> None:
    name = "reader"
    kubectl("create", "serviceaccount", name, "-n", stand.namespace)
    kubectl(
        *("create", "role", name, "-n", stand.namespace, "--verb=get,list"),
        *("--resource=pods,services,endpointslices.discovery.k8s.io",),
    )
    kubectl(
        *("create", "rolebinding", name, "-n", stand.namespace),
        *(f"--role={name}", f"--serviceaccount={stand.namespace}:{name}"),
    )
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    token = kubectl("create", "token", name, "-n", stand.namespace).strip()
    params = {"host": server, "api_key": token, "validate_certs": False}
    refused = pytest.raises(GoliveError)
    with connected(call_for_tests(params)) as client, refused as caught, tunnel(client, stand.namespace, SERVICE, 5432):
        pass
    assert caught.value.code == "forbidden"
    assert "pods/portforward" in str(caught.value)
    assert token not in str(caught.value)


def test_a_pod_that_dies_ends_its_connections_and_the_next_one_takes_over(stand: Stand, client: Client) -> None:
    with tunnel(client, stand.namespace, SERVICE, 5432) as address:
        connection = session(stand, address)
        kubectl("delete", "pod", "-n", stand.namespace, stand.pod(), "--grace-period=1", "--wait=false")
        start = time.monotonic()
        with pytest.raises(psycopg2.Error):
            value(connection, "SELECT pg_sleep(60)")
        assert time.monotonic() - start < 20

        kubectl("rollout", "status", "-n", stand.namespace, f"deploy/{NAME}", "--timeout=60s")
        end = time.monotonic() + 30
        pause = threading.Event()
        while True:
            try:
                again = session(stand, address)
                break
            except psycopg2.OperationalError:
                assert time.monotonic() < end
                pause.wait(0.2)
        assert value(again, "SELECT 1") == 1
        again.close()


def test_a_pod_that_becomes_ready_in_time_is_waited_for(stand: Stand, client: Client, call: Call) -> None:
    options = {"namespace": stand.namespace, "service": NAME}
    await_pod(call, client, options, 5432, timeout=30)
    kubectl("delete", "pod", "-n", stand.namespace, stand.pod(), "--grace-period=1", "--wait=false")
    await_pod(call, client, options, 5432, timeout=60)
    kubectl("create", "service", "clusterip", "void", "--tcp=80", "-n", stand.namespace)
    with pytest.raises(GoliveError) as caught:
        await_pod(call, client, {"namespace": stand.namespace, "service": "void"}, 80, timeout=0.5)
    assert caught.value.code == "no_ready_pod"
