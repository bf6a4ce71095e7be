# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name, password and authority from Secrets, and what is asked of TLS then."""

from __future__ import annotations

from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._reach.login import needs_cluster, with_secrets

LOGIN = {"namespace": None, "name": "shop-postgres", "key": "password", "user_key": "username"}
AUTHORITY = {"namespace": "certificates", "name": "shop-tls", "key": "ca.crt"}


class Secrets:
    """A cluster that holds two of them."""

    def get(self, path: str) -> dict[str, Any]:
        held = {
            "/api/v1/namespaces/shop/secrets/shop-postgres": {"username": "shop_b", "password": "hunter2"},
            "/api/v1/namespaces/certificates/secrets/shop-tls": {"ca.crt": "-----BEGIN"},
        }[path]
        return {"data": {key: b64encode(value.encode()).decode() for key, value in held.items()}}


def resolved(options: dict[str, Any], stack: ExitStack, namespace: str | None = "shop") -> dict[str, Any]:
    return with_secrets(cast(Client, Secrets()), options, namespace, stack)


def test_the_secret_outranks_the_name_and_the_authority_is_a_file_for_a_while() -> None:
    with ExitStack() as stack:
        found = resolved({"user": "old", "password_secret": LOGIN, "ca_secret": AUTHORITY}, stack)
        assert (found["user"], found["password"]) == ("shop_b", "hunter2")
        file = Path(found["sslrootcert"])
        assert (file.read_text(), file.stat().st_mode & 0o077) == ("-----BEGIN", 0)
        assert not needs_cluster(found)
    assert not file.exists()


@pytest.mark.parametrize(
    ("options", "wanted"),
    [({}, "verify-ca"), ({"host": "shop-postgres.shop.svc"}, "verify-full"), ({"sslmode": "require"}, "require")],
)
def test_an_authority_is_verified_unless_less_is_asked(
    options: dict[str, Any], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGHOST", raising=False)
    with ExitStack() as stack:
        assert resolved({**options, "ca_secret": AUTHORITY}, stack)["sslmode"] == wanted


def test_a_secret_without_a_namespace_is_refused() -> None:
    with ExitStack() as stack, pytest.raises(GoliveError, match="no namespace"):
        resolved({"password_secret": LOGIN}, stack, namespace=None)
