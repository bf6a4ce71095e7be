# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan makes of states that are hard to bring about on a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_facts import Fact, lines
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_plan import Plan, make_plan
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_plan_roles import Password
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import (
    Administrator,
    Connected,
    Database,
    Membership,
    Role,
    State,
    Thing,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import (
    Extension,
    Login,
    Wish,
    check_wish,
)

WISH = Wish("shop", "shop_owner", "shop_app", "shop_reader", monitor=False)
OPEN = frozenset({("PUBLIC", "CONNECT"), ("PUBLIC", "TEMPORARY")})
LOGIN = Login("shop_a", "app", password="hunter2")


def planned(wish: Wish, state: State, **passwords: Password) -> Plan:
    return make_plan(wish, state, passwords)


def texts(plan: Plan) -> list[str]:
    return [action.text for action in plan.actions]


def codes(plan: Plan) -> list[str]:
    return [one.code for one in plan.refusals]


def state(version: int = 170000, **others: object) -> State:
    """An empty server with the database of another administrator's time."""
    made = State(version, Administrator("postgres"), database=Database("postgres", "UTF8", "C", "libc", OPEN))
    return replace(made, **others)  # type: ignore[arg-type]  # whatever a test wants


def test_membership_options_from_16_on() -> None:
    wish = replace(WISH, logins=(LOGIN,))
    assert 'GRANT "shop_app" TO "shop_a" WITH INHERIT TRUE, SET TRUE' in texts(planned(wish, state(160000)))
    assert 'GRANT "shop_app" TO "shop_a"' in texts(planned(wish, state(150000)))


def test_each_grantors_membership_is_taken_from_16_on() -> None:
    wish = replace(WISH, logins=(LOGIN,))
    there = {"shop_a": Role("shop_a", can_login=True), "shop_owner": Role("shop_owner")}
    twice = tuple(Membership("shop_owner", "shop_a", grantor) for grantor in ("postgres", "other"))
    plan = planned(wish, state(160000, roles=there, memberships=twice), shop_a=Password.SAME)
    assert [text for text in texts(plan) if text.startswith('REVOKE "shop_owner"')] == [
        'REVOKE "shop_owner" FROM "shop_a" GRANTED BY "postgres"',
        'REVOKE "shop_owner" FROM "shop_a" GRANTED BY "other"',
    ]


def test_public_of_14_is_closed() -> None:
    public = Thing("schema", "SCHEMA", "public", "public", "postgres", frozenset({("PUBLIC", "CREATE")}))
    plan = planned(WISH, state(140000, schemas={"public": public}))
    assert 'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC' in texts(plan)
    assert 'ALTER SCHEMA "public" OWNER TO "shop_owner"' in texts(plan)
    assert codes(plan) == []


def test_a_login_without_inheritance_is_given_it_before_16() -> None:
    there = {"shop_a": Role("shop_a", can_login=True, inherit=False)}
    wish = replace(WISH, logins=(LOGIN,))
    assert 'ALTER ROLE "shop_a" INHERIT' in texts(planned(wish, state(150000, roles=there), shop_a=Password.SAME))
    assert 'ALTER ROLE "shop_a" INHERIT' not in texts(planned(wish, state(160000, roles=there), shop_a=Password.SAME))


def test_no_secret_is_in_what_people_see() -> None:
    plan = planned(replace(WISH, logins=(LOGIN,)), state())
    assert "CREATE ROLE \"shop_a\" LOGIN PASSWORD '********'" in texts(plan)
    seen = f"{plan} {texts(plan)} {lines(plan.after)}"
    assert "hunter2" not in seen
    assert "SCRAM" not in seen
    assert not [action for action in plan.actions if "hunter2" in action.sql]


@pytest.mark.parametrize(
    ("known", "sessions", "replaces", "ends"),
    [
        (Password.SAME, 3, False, "nothing"),
        (Password.WEAK, 3, False, "set"),
        (Password.OTHER, 0, False, "set"),
        (Password.OTHER, 3, True, "set"),
        (Password.OTHER, 3, False, "password_in_use"),
        (Password.UNTOLD, 3, False, "warned"),
        (Password.UNTOLD, 0, False, "set"),
    ],
)
def test_nobody_loses_a_password_in_use(known: Password, sessions: int, replaces: bool, ends: str) -> None:
    there = {"shop_a": Role("shop_a", can_login=True, sessions=sessions)}
    wish = replace(WISH, logins=(replace(LOGIN, replace_in_use=replaces),))
    plan = planned(wish, state(roles=there), shop_a=known)
    sets = [text for text in texts(plan) if text.startswith('ALTER ROLE "shop_a" PASSWORD')]
    assert bool(sets) is (ends == "set")
    assert codes(plan) == ([ends] if ends == "password_in_use" else [])
    assert bool(plan.warnings) is (ends == "warned")


def test_whoever_is_connected_must_keep_its_right() -> None:
    def connected(name: str, superuser: bool = False, *roles: str) -> Connected:
        return Connected(name, superuser, frozenset({name, *roles}))

    granted = frozenset({*OPEN, ("billing", "CONNECT")})
    there = state(
        database=Database("postgres", "UTF8", "C", "libc", granted),
        connected=(
            connected("postgres", True),
            connected("shop_a"),
            connected("worker", False, "billing"),
            connected("dba", False, "shop_owner"),
            connected("stranger"),
        ),
    )
    plan = planned(replace(WISH, logins=(LOGIN,)), there)
    assert codes(plan) == ["would_lock_out"]
    assert "stranger" in plan.refusals[0].text


def test_a_run_that_closes_nothing_locks_nobody_out() -> None:
    done = state(connected=(Connected("stranger", False, frozenset({"stranger"})),))
    closed = frozenset({("shop_app", "CONNECT"), ("shop_reader", "CONNECT")})
    done = replace(done, database=Database("shop_owner", "UTF8", "C", "libc", closed))
    assert codes(planned(WISH, done)) == []


def test_an_administrator_without_rights_is_told_all_at_once() -> None:
    weak = Administrator("ops", superuser=False, can_create=False, create_role=False, may_grant_monitor=False)
    wish = replace(WISH, monitor=True)
    assert codes(planned(wish, replace(state(), administrator=weak, database=None))) == [
        "administrator",
        "administrator",
        "monitor",
    ]


def test_an_administrator_that_is_no_superuser_acts_for_the_owner_and_no_longer() -> None:
    ops = Administrator("ops", superuser=False)
    plan = texts(planned(WISH, replace(state(), administrator=ops, database=None)))
    first = plan.index('GRANT "shop_owner" TO "ops" WITH INHERIT TRUE, SET TRUE')
    assert plan[first - 1].startswith("CREATE ROLE")
    assert plan[-1] == 'REVOKE "shop_owner" FROM "ops"'
    assert 'GRANT CONNECT ON DATABASE "shop" TO "ops"' in plan


def test_lines_are_sorted_and_grouped() -> None:
    facts = [
        Fact("table public.b", "x", "SELECT"),
        Fact("table public.b", "x", "INSERT"),
        Fact("table public.a", "", "owner o"),
    ]
    assert lines(facts) == "table public.a: owner o\ntable public.b: x INSERT, SELECT\n"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (replace(WISH, database=""), "database is ''"),
        (replace(WISH, database="x" * 64), "database is"),
        (replace(WISH, app="shop_owner"), "name shop_owner twice"),
        (replace(WISH, owner="pg_owner"), "owner is 'pg_owner'"),
        (replace(WISH, owner="public"), "owner is 'public'"),
        (replace(WISH, schemas=()), "schemas is empty"),
        (replace(WISH, schemas=("golive",)), "name golive twice"),
        (replace(WISH, extensions=(Extension("x", "nowhere"),)), "schema nowhere, which is not listed"),
        (replace(WISH, logins=(LOGIN, LOGIN)), "logins name shop_a twice"),
        (replace(WISH, logins=(Login("shop_app", "app"),)), "has the name of a group"),
        (replace(WISH, logins=(Login("a\nb", "app"),)), r"logins[0].name is 'a\nb'"),
        (replace(WISH, logins=(Login("a", "app", password="x\n"),)), "line break"),
        (replace(WISH, logins=(Login("a", "app", password=""),)), "is empty"),
        (replace(WISH, logins=(Login("a", "app", connection_limit=-2),)), "connection_limit of logins[0] (a) is -2"),
        (replace(WISH, logins=(Login("a", "app", settings={"role": "x"}),)), "'role'"),
        (replace(WISH, logins=(Login("a", "app", settings={"a; b": "x"}),)), "'a; b'"),
    ],
)
def test_wrong_input_is_named(wish: Wish, words: str) -> None:
    with pytest.raises(GoliveError) as caught:
        check_wish(wish)
    assert caught.value.code == "invalid"
    assert words in str(caught.value)
    assert caught.value.hint


def test_right_input_is_right() -> None:
    check_wish(replace(WISH, extensions=(Extension("pg_trgm"),), logins=(replace(LOGIN, password="päss wörd"),)))
