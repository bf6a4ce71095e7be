# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that CloudNativePG looks after: refused where there is no operator, and made where there is one."""

from __future__ import annotations

import json
import os
import secrets
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
from tests.e2e.conftest import kubectl
from tests.e2e.postgres.test_embedded import _REMOVE, _STATUS, Embedded

_KIND = "crd/clusters.postgresql.cnpg.io"
_CLUSTER = "clusters.postgresql.cnpg.io/shop-cnpg"
_KINDS = "configmaps,secrets,services"


@dataclass(frozen=True)
class Looked(Embedded):
    """The role in mode cnpg, with one server."""

    def command(self, file: Path, **variables: Any) -> list[str]:
        return super().command(file, **{"postgres_mode": "cnpg", "postgres_instances": 1, **variables})

    def names(self) -> list[str]:
        return sorted(kubectl("-n", self.namespace, "get", _KINDS, "-o", "name").split())

    @contextmanager
    def tunnel(self) -> Iterator[tuple[str, int]]:
        params = {"kubeconfig": os.environ.get("KUBECONFIG"), "context": None}
        target = {"namespace": self.namespace, "service": "shop-postgres"}
        with connected(call_for_tests(params)) as client, tunnel_to(client, target, 5432) as address:
            yield address

    def kept(self) -> dict[str, str]:
        """Resource versions of what the role makes, and the generation of the Cluster."""
        items = json.loads(kubectl("-n", self.namespace, "get", _KINDS, "-o", "json"))["items"]
        ours = [
            row for row in items if row["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "golive"
        ]
        rows = {f"{row['kind']}/{row['metadata']['name']}": row["metadata"]["resourceVersion"] for row in ours}
        return {**rows, "generation": self.get(_CLUSTER, "{.metadata.generation}")}


@pytest.fixture(scope="module")
def looked(cluster: dict[str, str]) -> Iterator[Looked]:
    made = Looked(f"golive-cnpg-{secrets.token_hex(4)}")
    kubectl("create", "namespace", made.namespace)
    yield made
    kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


def test_a_cluster_without_the_operator_is_refused_unchanged(looked: Looked) -> None:
    if kubectl("get", _KIND, "--ignore-not-found", "-o", "name"):
        pytest.skip("this cluster has the operator")
    before = looked.names()
    for arguments in (("--check",), ()):
        refused = looked.play(*arguments)
        assert refused.code != 0
        assert "Install the operator CloudNativePG" in " ".join(refused.output.split())
    assert looked.names() == before


@pytest.mark.series
def test_made_used_and_taken_away_by_the_operator(looked: Looked, tmp_path: Path) -> None:
    if not kubectl("get", _KIND, "--ignore-not-found", "-o", "name"):
        pytest.skip("this cluster has no operator CloudNativePG; install one to run this")
    before = looked.names()
    planned = looked.play("--check")
    assert (planned.code, planned.changed > 0) == (0, True), planned.output
    assert looked.names() == before
    made = looked.play()
    assert made.code == 0, made.output
    kept = looked.kept()
    for arguments in (("--check",), ()):
        again = looked.play(*arguments)
        assert (again.code, again.changed) == (0, 0), again.output
    assert looked.kept() == kept

    authority = tmp_path / "ca.crt"
    authority.write_text(looked.get("configmap/shop-postgres-ca", r"{.data.ca\.crt}"))
    verified = {"sslmode": "verify-full", "sslrootcert": str(authority), "host": "shop-postgres"}

    def says(of: str, *statements: str) -> object:
        with (
            looked.tunnel() as way,
            closing(looked.connect(*way, of, **verified)) as session,
            session.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None

    says("-owner", "CREATE TABLE wares (name text)")
    says("", "INSERT INTO wares VALUES ('tea')")
    assert says("-reader", "SELECT name FROM wares") == ("tea",)
    assert says("", "SHOW shared_buffers") == ("64MB",)
    assert says("-admin", "SHOW data_checksums") == ("on",)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        says("", "CREATE TABLE other (n int)")
    with looked.tunnel() as (host, port), pytest.raises(psycopg2.OperationalError, match="rejects connection"):
        looked.connect(host, port, sslmode="disable").close()

    status = looked.play(file=_STATUS, postgres_health={"ignore": ["disk_free"]})
    assert (status.code, status.changed) == (0, 0), status.output
    assert '"shop               healthy ' in status.output, status.output

    assert looked.play(file=_REMOVE).code != 0
    removed = looked.play(file=_REMOVE, postgres_confirm_delete="shop")
    assert removed.code == 0, removed.output
    kubectl("-n", looked.namespace, "wait", "--for=delete", "pod", "-l", "cnpg.io/cluster=shop-cnpg", "--timeout=100s")
    assert [name for name in looked.names() if "shop-postgres" in name] == []
