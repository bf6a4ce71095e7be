# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a server has to what it shall have: statements in order, and what stands against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_draft import (
    Action,
    Draft,
    Phase,
    Refusal,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_facts import Fact, facts_of
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_plan_database import (
    check_locked_out,
    plan_database,
    plan_defaults,
    plan_extensions,
    plan_schemas,
    plan_things,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_plan_roles import (
    Password,
    plan_groups,
    plan_logins,
    plan_monitor,
    plan_powers,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_sql import joined_sql, literal, name
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import (
    DATABASE_OWNER,
    PUBLIC,
    Database,
    State,
    Thing,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Wish

_SHOWN = 5
_OWN_PUBLIC_SINCE = 150000


@dataclass(frozen=True)
class Plan:
    """``actions`` in order; ``before`` and ``after`` are facts; ``refusals`` are why it may not be done.

    ``unlisted`` are dicts ``name, of, can_login, sessions`` of logins in the groups that nobody listed.
    """

    actions: tuple[Action, ...]
    refusals: tuple[Refusal, ...]
    before: frozenset[Fact]
    after: frozenset[Fact]
    warnings: tuple[str, ...] = ()
    unlisted: tuple[dict[str, object], ...] = field(default=())

    def of(self, phase: Phase) -> tuple[Action, ...]:
        """The actions of a phase."""
        return tuple(action for action in self.actions if action.phase is phase)


def make_plan(wish: Wish, state: State, passwords: Mapping[str, Password]) -> Plan:
    """The plan; ``passwords`` tells by login what is known of its password, UNTOLD where it is not in it."""
    draft = Draft(wish, state)
    before = facts_of(state, wish)
    _check_administrator(draft)
    if state.database is None:
        _create_database(draft)
        draft.state = state = _with_new_database(wish, state)
    start = facts_of(state, wish)
    plan_groups(draft)
    groups_end = len(draft.actions)
    plan_database(draft)
    plan_schemas(draft)
    plan_extensions(draft)
    plan_things(draft)
    plan_defaults(draft)
    plan_monitor(draft)
    plan_powers(draft)
    plan_logins(draft, passwords)
    check_locked_out(draft)
    _act_for_others(draft, groups_end)
    after = start
    for action in draft.actions:
        after = (after - action.removes) | action.adds
    return Plan(
        tuple(draft.actions),
        tuple(draft.refusals),
        before,
        after,
        tuple(draft.warnings),
        _unlisted(wish, state),
    )


def refusal(wish: Wish, refusals: Iterable[Refusal]) -> GoliveError:
    """One error for all that stands against a plan; its ``refused`` are dicts ``code, text, hint``."""
    refused = [{"code": one.code, "text": one.text, "hint": one.hint} for one in refusals]
    said = [f"{one['text']} ({one['hint']})" for one in refused[:_SHOWN]]
    rest = f" And {len(refused) - _SHOWN} more, in refused." if len(refused) > _SHOWN else ""
    return GoliveError(
        "refused",
        f"Setting up access to the database {wish.database} was refused: {' '.join(said)}{rest}",
        "Nothing was changed; correct what is named and run again.",
        {"refused": refused},
    )


def _check_administrator(draft: Draft) -> None:
    admin = draft.state.administrator
    if not (admin.superuser or admin.create_role):
        draft.refuse(
            "administrator",
            f"{admin.name} may not make roles.",
            "connect as a role with CREATEROLE, and CREATEDB where the database is to be made",
        )
    listed = {login.name for login in draft.wish.logins} | set(draft.wish.groups.values())
    for forbidden, what in ((admin.name, "the administrator of this run"), (draft.state.bootstrap, "PostgreSQL's own")):
        if forbidden in listed:
            draft.refuse(
                "administrator_listed",
                f"{forbidden} is {what} and cannot be a login or a group.",
                "list another role, and let the app log in as that",
            )
            break


def _create_database(draft: Draft) -> None:
    wish, admin = draft.wish, draft.state.administrator
    if not (admin.superuser or admin.can_create):
        draft.refuse(
            "administrator",
            f"The database {wish.database} is not there, and {admin.name} may not make it.",
            f"connect as a role with CREATEDB, or let a superuser create it with the owner {admin.name}",
        )
    # template1 may be in use, and holds what somebody has put there; encoding and locale are free with template0 only.
    sql = f"CREATE DATABASE {name(wish.database)} TEMPLATE template0 ENCODING {literal(wish.encoding or 'UTF8')}"
    if wish.provider and wish.provider != "libc":
        option = f"{wish.provider.upper()}_LOCALE"
        sql += f" LOCALE_PROVIDER {wish.provider}" + (f" {option} {literal(wish.locale)}" if wish.locale else "")
    elif wish.locale:
        sql += f" LOCALE {literal(wish.locale)}"
    draft.do(sql, phase=Phase.CREATE)


def _with_new_database(wish: Wish, state: State) -> State:
    """The state as it is when the database was just made: the administrator's, and open to everybody."""
    if state.version >= _OWN_PUBLIC_SINCE:
        owner, rights = DATABASE_OWNER, frozenset({(PUBLIC, "USAGE")})
    else:
        owner, rights = state.bootstrap, frozenset({(PUBLIC, "USAGE"), (PUBLIC, "CREATE")})
    made = Database(
        state.administrator.name,
        wish.encoding or "UTF8",
        wish.locale or "",
        wish.provider or "libc",
        frozenset({(PUBLIC, "CONNECT"), (PUBLIC, "TEMPORARY")}),
    )
    schemas = (
        {"public": Thing("schema", "SCHEMA", "public", "public", owner, rights)} if "public" in wish.schemas else {}
    )
    return replace(state, database=made, schemas=schemas)


def _act_for_others(draft: Draft, first: int) -> None:
    """Make an administrator who is no superuser a member of whoever's rights are needed, until the transaction ends;
    ``first`` is where the groups are there."""
    admin = draft.state.administrator
    if admin.superuser:
        return
    wanted = sorted(draft.needs - admin.roles - {admin.name})
    for role in wanted:
        known = draft.state.roles.get(role)
        if known is not None and not known.administered:
            draft.refuse(
                "not_administered",
                f"{admin.name} would have to act for {role}, and may not.",
                f"let a superuser run GRANT {name(role)} TO {name(admin.name)} WITH ADMIN OPTION",
            )
    loans = [Action(sql, sql) for sql in (joined_sql(role, admin.name, draft.state.version) for role in wanted)]
    draft.actions[first:first] = loans
    for role in wanted:
        draft.do(f"REVOKE {name(role)} FROM {name(admin.name)}")


def _unlisted(wish: Wish, state: State) -> tuple[dict[str, object], ...]:
    """Members of the groups that the wish does not name."""
    listed = {login.name for login in wish.logins} | set(wish.groups.values()) | {state.administrator.name}
    found: dict[str, dict[str, object]] = {}
    for kind, group in wish.groups.items():
        for one in state.members(group):
            role = state.roles.get(one.member)
            if role is not None and one.member not in listed and (one.inherit or one.set):
                found[one.member] = {
                    "name": role.name,
                    "of": kind,
                    "can_login": role.can_login,
                    "sessions": role.sessions,
                }
    return tuple(found[key] for key in sorted(found))
