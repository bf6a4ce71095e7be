# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One namespace with a database for all traffic tests; one app per test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.traffic import stand


@pytest.fixture(scope="session")
def space(cluster: dict[str, str]) -> Iterator[str]:
    """A namespace with a running database, deleted behind the session."""
    name = f"golive-traffic-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    try:
        stand.database(name)
        kubectl("-n", name, "rollout", "status", "deployment/database", "--timeout=90s")
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false", check=False)


@pytest.fixture
def shop(space: str) -> Iterator[stand.Shop]:
    """An app without colours and Services yet."""
    app = stand.Shop(space)
    yield app
    app.remove()


@pytest.fixture
def two(shop: stand.Shop) -> stand.Shop:
    """Both colours up, blue live and answering."""
    shop.deploy("blue", wait=False)
    shop.deploy("green", "2.0.0", wait=False)
    shop.services()
    shop.rolled_out("blue")
    shop.rolled_out("green")
    stand.served(f"{shop.url}/healthz")
    return shop
