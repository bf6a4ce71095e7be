# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One app in two colours for all tests of this folder, and one Gateway; each test begins with a new route."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.gateway.routed import RoutedShop, data_plane
from tests.e2e.traffic import stand


@pytest.fixture(scope="session")
def app(cluster: dict[str, str]) -> Iterator[RoutedShop]:
    """Both colours up, in a namespace that is deleted behind the session. The Gateway stays, like the cluster."""
    edge = data_plane()
    space = f"golive-gateway-{secrets.token_hex(4)}"
    kubectl("create", "namespace", space)
    try:
        stand.database(space)
        kubectl("-n", space, "rollout", "status", "deployment/database", "--timeout=90s")
        app = RoutedShop(space, edge)
        app.deploy("blue", wait=False)
        app.deploy("green", "2.0.0", wait=False)
        app.services()
        app.rolled_out("blue")
        app.rolled_out("green")
        yield app
    finally:
        kubectl("delete", "namespace", space, "--wait=false", check=False)


@pytest.fixture
def shop(app: RoutedShop) -> RoutedShop:
    """The app with a new route, blue live."""
    app.routed()
    return app
