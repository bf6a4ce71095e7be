# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of servers beside each other."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._reach.live_server import beside_of, claim_of, pod_of


@pytest.mark.parametrize(
    ("server", "beside"),
    [
        ("shop-postgres", "shop-postgres-2"),
        ("shop-postgres-2", "shop-postgres-3"),
        ("shop-postgres-9", "shop-postgres-10"),
        # An app may end in a number itself.
        ("shop-2-postgres", "shop-2-postgres-2"),
    ],
)
def test_the_next_server_has_one_number_more(server: str, beside: str) -> None:
    name = server if server.endswith("postgres") else "shop-postgres"
    assert beside_of(server, name) == beside


def test_a_server_is_a_pod_and_a_claim() -> None:
    assert (pod_of("shop-postgres-2"), claim_of("shop-postgres-2")) == ("shop-postgres-2-0", "data-shop-postgres-2-0")
