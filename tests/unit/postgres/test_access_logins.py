# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log in at each step of a change of passwords."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.filter.access_logins import access_logins

CURRENT = {"password_secret": {"name": "shop-postgres"}}


@pytest.mark.parametrize(
    ("login", "next_", "coming", "other"),
    [
        ("a", None, None, {"state": "disabled"}),
        ("a", "shop-postgres-next", "b", {"password_secret": {"name": "shop-postgres-next"}}),
        # Moved: the old login keeps the password that it has until the clients are gone.
        ("b", "shop-postgres-next", "b", {}),
    ],
)
def test_two_logins_take_turns(login: str, next_: str | None, coming: str | None, other: dict[str, Any]) -> None:
    spare = "b" if login == "a" else "a"
    kept = {"login": login, "spare": spare, "next": next_, "coming": coming}
    assert access_logins({"app": kept}, {"app": "shop-postgres"}) == [
        {"name": login, "of": "app", **CURRENT},
        {"name": spare, "of": "app", **other},
    ]


def test_a_login_alone_stays() -> None:
    kept = {"login": "a", "spare": None, "next": None, "coming": None}
    assert access_logins({"app": kept}, {"app": "shop-postgres"}) == [{"name": "a", "of": "app", **CURRENT}]
