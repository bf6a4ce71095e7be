# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app whose database is somebody else's: outside of its namespace, with TLS, and a login for each purpose."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.node_ports import free_node_port
from tests.e2e.postgres.test_embedded import Embedded
from tests.e2e.traffic.stand import apply

V2 = {"app_version": "2.0.0", "migrate_target": "0002"}
LOGINS = {"app": "", "owner": "-owner", "reader": "-reader"}


@pytest.fixture(scope="module")
def server(cluster: dict[str, str]) -> Iterator[tuple[Embedded, int]]:
    """A server elsewhere, and the port of the node at which it answers."""
    made = Embedded(f"golive-elsewhere-{secrets.token_hex(3)}")
    kubectl("create", "namespace", made.namespace)
    try:
        play = made.play()
        assert play.code == 0, play.output
        selector = json.loads(made.get("service/shop-postgres", "{.spec.selector}"))
        port = free_node_port()
        apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"namespace": made.namespace, "name": "outside"},
                "spec": {"type": "NodePort", "selector": selector, "ports": [{"port": 5432, "nodePort": port}]},
            }
        )
        yield made, port
    finally:
        kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


@pytest.fixture(scope="module")
def stage(make_stage: Callable[..., Stage], server: tuple[Embedded, int]) -> Stage:
    """An app that is given the address, and a Secret for each purpose and for the authority."""
    elsewhere, port = server
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}")
    made = make_stage(
        postgres_mode="external",
        postgres_host=node,
        postgres_port=port,
        postgres_database="shop",
        # The certificate has the server's name, not the node's address.
        postgres_sslmode="verify-ca",
        postgres_ca_secret={"name": "database-ca", "key": "authority"},
        postgres_secret={"name": "database-app", "key": "word", "user_key": "name"},
        postgres_owner_secret={"name": "database-owner", "key": "word", "user_key": "name"},
        postgres_reader_secret={"name": "database-reader", "key": "word", "user_key": "name"},
        postgres_health={"ignore": ["disk_free"]},
    )
    kubectl("create", "namespace", made.namespace)
    authority = elsewhere.get("configmap/shop-postgres-ca", r"{.data.ca\.crt}")
    values = {"database-ca": {"authority": authority}}
    for purpose, end in LOGINS.items():
        login = elsewhere.login(end)
        values[f"database-{purpose}"] = {"name": login["user"], "word": login["password"]}
    apply(
        *(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"namespace": made.namespace, "name": name},
                "stringData": data,
            }
            for name, data in values.items()
        )
    )
    return made


def test_from_nothing_to_a_release_and_back(stage: Stage, server: tuple[Embedded, int]) -> None:
    elsewhere, _port = server
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    again = stage.play("site.yml")
    assert (again.code, again.changed) == (0, 0), again.output
    with stage.load() as ledger:
        for playbook, wanted, version in (("release.yml", V2, "2.0.0"), ("rollback.yml", {}, "1.0.0")):
            play = stage.play(playbook, **wanted)
            assert play.code == 0, play.output
            assert stage.get("/readyz")[1]["X-App-Version"] == version
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    # Nothing of a server of its own was made.
    assert kubectl("-n", stage.namespace, "get", "statefulsets,pvc", "-o", "name") == ""
    # Each purpose had its own login: tables are the owner's group's, and the app works as its own, over TLS.
    assert elsewhere.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'notes'") == "shop_owner"
    using = elsewhere.sql(
        "SELECT DISTINCT usename, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)"
        " WHERE datname = 'shop' AND client_addr IS NOT NULL"
    )
    assert using == f"{elsewhere.login()['user']}|t"


def test_status_reads_as_whoever_monitors(stage: Stage) -> None:
    play = stage.play("status.yml")
    assert play.code == 0, play.output
    assert "healthy" in play.output


def test_an_authority_that_did_not_sign_the_server_is_refused(stage: Stage) -> None:
    kubectl("-n", stage.namespace, "delete", "secret", "database-ca")
    other = kubectl("-n", "default", "get", "configmap", "kube-root-ca.crt", "-o", r"jsonpath={.data.ca\.crt}")
    apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": stage.namespace, "name": "database-ca"},
            "stringData": {"authority": other},
        }
    )
    play = stage.play("migrate.yml", **V2)
    assert play.code != 0
    assert "certificate verify failed" in play.output
