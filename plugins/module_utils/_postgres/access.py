# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_access``: read, plan, refuse or carry out, and look whether it is so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_apply import (
    APPLICATION,
    carry_out,
    end_sessions,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_draft import Phase
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_facts import lines
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_passwords import known_passwords
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_plan import Plan, make_plan, refusal
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_plan_roles import Password
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_read import read_state
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_sql import name
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import (
    Administrator,
    Available,
    State,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Wish

_MAINTENANCE = "postgres"
# First half of the keys of its advisory locks; the second is a hash of the database's name.
_LOCK = 0x676F6C61
_LOOK_S = 0.2
_STILL_OURS = "SELECT datdba = current_user::regrole FROM pg_catalog.pg_database WHERE datname = %s"
_UNSEEN_VERSION = 180000


def set_up_access(call: Call, where: Settings, wish: Wish, wait: float) -> dict[str, Any]:
    """The verb's result; ``wait`` are seconds for locks.

    Raises GoliveError ``refused`` with ``refused``, ``lock_timeout`` with ``blockers``, ``timeout`` when another run
    goes on, ``incomplete`` when the server did not keep what it took.
    """
    where = replace(where, database=where.database or _MAINTENANCE)
    with connect(call, where, application_name=APPLICATION) as server:
        if call.check_mode:
            state = _read(call, where, server, wish)
            plan = _planned(call, where, wish, state)
            return _result(call, wish, plan, state)
        with _alone(call, server, wish, wait):
            return _applied(call, where, server, wish, wait)


def plan_from_nothing(call: Call, where: Settings, wish: Wish) -> dict[str, Any]:
    """The result of check mode where the server is not there yet. Raises GoliveError ``refused``."""
    available = {
        one.name: Available((one.version or "of the server",), one.version or "of the server")
        for one in wish.extensions
    }
    state = State(_UNSEEN_VERSION, Administrator(where.user or "the administrator"), available=available)
    plan = make_plan(wish, state, {})
    if plan.refusals:
        raise refusal(wish, plan.refusals)
    return _result(call, wish, plan, state)


def _applied(call: Call, where: Settings, server: Session, wish: Wish, wait: float) -> dict[str, Any]:
    inside = replace(where, database=wish.database)
    state = _read(call, where, server, wish)
    plan = whole = _planned(call, where, wish, state)
    if not plan.actions:
        return _result(call, wish, plan, state)
    made = bool(plan.of(Phase.CREATE))
    for action in plan.of(Phase.CREATE):
        server.execute(action.sql)
    try:
        if made:
            # What the template and the server have put there is known only now.
            state = _read(call, where, server, wish)
            plan = _planned(call, where, wish, state)
        carry_out(call, inside, server, state.administrator, plan.of(Phase.CHANGE), wait)
    except BaseException:
        if made:
            _drop(call, where, wish)
        raise
    for action in plan.of(Phase.SESSIONS):
        end_sessions(call, server, state.administrator, action.role)
    if plan.of(Phase.DROP):
        carry_out(call, inside, server, state.administrator, plan.of(Phase.DROP), wait)
    state = _read(call, where, server, wish)
    kept = {login.name: Password.SAME for login in wish.logins}
    left = make_plan(wish, state, kept)
    if left.actions or left.refusals:
        said = "; ".join([action.text for action in left.actions] + [one.text for one in left.refusals])
        raise GoliveError(
            "incomplete",
            f"Setting up access to the database {wish.database} left undone: {said}.",
            "Look who else changes roles and rights there, or has granted them; then run again.",
            {"changed": True},
        )
    return _result(call, wish, replace(whole, unlisted=left.unlisted), state)


def _planned(call: Call, where: Settings, wish: Wish, state: State) -> Plan:
    plan = make_plan(wish, state, known_passwords(call, where, wish, state))
    if plan.refusals:
        raise refusal(wish, plan.refusals)
    for warning in plan.warnings:
        call.warn(warning)
    return plan


def _read(call: Call, where: Settings, server: Session, wish: Wish) -> State:
    there = server.value("SELECT count(*) FROM pg_catalog.pg_database WHERE datname = %s", (wish.database,))
    with ExitStack() as stack:
        inside = None
        if there:
            at = replace(where, database=wish.database)
            inside = stack.enter_context(connect(call, at, read_only=True, application_name=APPLICATION))
        return read_state(server, inside, wish)


def _drop(call: Call, where: Settings, wish: Wish) -> None:
    """Take away a database that this run has made, if it is still empty: nothing half-done stays."""
    with suppress(GoliveError), connect(call.for_undo(), where, application_name=APPLICATION) as session:
        # Once it is the group's, the rest was committed, and somebody may be in it.
        if session.value(_STILL_OURS, (wish.database,)):
            session.execute(f"DROP DATABASE {name(wish.database)}")


@contextmanager
def _alone(call: Call, session: Session, wish: Wish, wait: float) -> Iterator[None]:
    """Keep other runs for the same database away; the server frees the lock when this run dies."""
    half = int.from_bytes(hashlib.sha256(wish.database.encode()).digest()[:4], "big", signed=True)

    def look() -> Done[None] | Pending:
        taken = session.value("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", (_LOCK, half))
        return Done(None) if taken else Pending("another run holds it")

    what = f"the lock of the access to the database {wish.database}"
    wait_for(call, look, what=what, timeout=wait, interval=_LOOK_S, hint=f"Look for sessions named {APPLICATION}.")
    try:
        yield
    finally:
        if not session.closed:
            with suppress(GoliveError):
                session.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", (_LOCK, half))


def _result(call: Call, wish: Wish, plan: Plan, state: State) -> dict[str, Any]:
    changed = bool(plan.actions)
    result: dict[str, Any] = {
        "changed": changed,
        "database": wish.database,
        "created": bool(plan.of(Phase.CREATE)),
        "plan": [action.text for action in plan.actions],
        "groups": wish.groups,
        "logins": [_login(wish, state, number) for number in range(len(wish.logins))],
        "unlisted": list(plan.unlisted),
    }
    if call.diff_mode:
        shown = diff_of(f"access to the database {wish.database}", lines(plan.before), lines(plan.after))
        result["diff"] = [shown] if changed else []
    return result


def _login(wish: Wish, state: State, number: int) -> dict[str, Any]:
    login = wish.logins[number]
    role = state.roles.get(login.name)
    groups = set(wish.groups.values())
    others = {one.role for one in state.memberships if one.member == login.name} - groups
    return {
        "name": login.name,
        "of": login.of,
        "state": login.state,
        "can_login": role.can_login if role else False,
        "sessions": role.sessions if role else 0,
        "other_roles": sorted(others),
    }
