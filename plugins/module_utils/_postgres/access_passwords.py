# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out whether logins have the wanted passwords: from what the server keeps, or by logging in."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_plan_roles import Password
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_scram import is_scram, matches
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import State
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Login, Wish

_APPLICATION = "golive pg_access password check"
_WRONG = ("password authentication failed",)
# The server says these only to whoever has proven the password.
_PROVEN = ("is not permitted to log in", "too many connections for role", "permission denied for database")


def known_passwords(call: Call, where: Settings, wish: Wish, state: State) -> dict[str, Password]:
    """What is known, by name of login, of those that shall be present with a password and are there.

    Raises GoliveError ``unreachable`` and the like where the server is gone.
    """
    found = {}
    for login in wish.logins:
        role = state.roles.get(login.name)
        if role is None or login.state != "present" or login.password is None:
            continue
        if state.administrator.reads_passwords:
            found[login.name] = _compared(login, role.verifier)
        elif role.can_login:
            database = wish.database if state.database else where.database
            found[login.name] = _tried(call, replace(where, database=database), login)
        else:
            # Whoever may not log in cannot show it, so that it is set.
            found[login.name] = Password.OTHER
    return found


def _compared(login: Login, kept: str | None) -> Password:
    if kept is None or not matches(login.password or "", kept, login.name):
        return Password.OTHER
    return Password.SAME if is_scram(kept) else Password.WEAK


def _tried(call: Call, where: Settings, login: Login) -> Password:
    there = replace(where, user=login.name, password=login.password)
    try:
        with connect(call, there, read_only=True, application_name=_APPLICATION) as session:
            # A server that asks for none proves nothing.
            return Password.SAME if session.used_password else Password.UNTOLD
    except GoliveError as error:
        if any(words in error.message for words in _WRONG):
            return Password.OTHER
        return Password.SAME if any(words in error.message for words in _PROVEN) else Password.UNTOLD
