# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login of a pooler: it may ask for the stored passwords of one group's members, and nothing else.

PgBouncer logs its clients in by ``auth_query`` (PgBouncer documentation, «Authentication settings»): with the stored
SCRAM-SHA-256 verifier of a login it can both check a client and, with what the client has shown, log in to the server
in its name, without ever knowing a password. The documentation advises a function with SECURITY DEFINER, so that the
pooler itself needs no right to read pg_authid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_apply import (
    APPLICATION,
    carry_out,
    end_sessions,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_draft import Action
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_scram import is_scram, matches, verifier
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_sql import literal, name
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import Administrator

SCHEMA = "golive_pooler"
FUNCTION = f"{SCHEMA}.stored_password"
# What PgBouncer is told to ask.
QUERY = f"SELECT login, verifier FROM {FUNCTION}($1)"
_SIGNATURE = f"{FUNCTION}(text)"
_PATH = "pg_catalog, pg_temp"
# Nobody but direct members that may log in now, and never a superuser.
_BODY = """
SELECT a.rolname::text, a.rolpassword
FROM pg_catalog.pg_authid a
    JOIN pg_catalog.pg_auth_members m ON m.member = a.oid
    JOIN pg_catalog.pg_authid g ON g.oid = m.roleid
WHERE a.rolname = $1 AND g.rolname = {group} AND a.rolcanlogin AND NOT a.rolsuper
    AND (a.rolvaliduntil IS NULL OR a.rolvaliduntil > pg_catalog.now())
"""
_READ = """
SELECT current_user::text AS administrator,
    (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
    pg_catalog.to_regrole(pg_catalog.quote_ident(%s)) IS NOT NULL AS group_there,
    pg_catalog.to_regnamespace(%s) IS NOT NULL AS schema_there,
    (SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = %s) AS can_login,
    (SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
        OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE r.oid IN (m.member, m.roleid))
        FROM pg_catalog.pg_roles r WHERE rolname = %s) AS powerful"""
_STORED = "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = %s"
_RIGHTS = """
SELECT pg_catalog.array_agg(grantee || ' ' || privilege_type ORDER BY 1) FROM (
    SELECT coalesce(r.rolname::text, 'PUBLIC') AS grantee, e.privilege_type
    FROM {owned}, pg_catalog.aclexplode(coalesce({acl}, pg_catalog.acldefault({kind}, {owner}))) e
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = e.grantee
    WHERE {which} AND e.grantee <> {owner}) rights"""
_SCHEMA_RIGHTS = _RIGHTS.format(
    owned="pg_catalog.pg_namespace n", acl="n.nspacl", kind="'n'", owner="n.nspowner", which="n.nspname = %s"
)
_FUNCTION_RIGHTS = _RIGHTS.format(
    owned="pg_catalog.pg_proc p",
    acl="p.proacl",
    kind="'f'",
    owner="p.proowner",
    which="p.oid = pg_catalog.to_regprocedure(%s)",
)
_MADE = """
SELECT p.prosrc AS body, p.prosecdef AS definer, p.provolatile::text AS volatile, p.proconfig AS settings,
    o.rolsuper AS of_superuser
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles o ON o.oid = p.proowner
WHERE p.oid = pg_catalog.to_regprocedure(%s)"""


@dataclass(frozen=True)
class PoolerLogin:
    """The wished login, and the group whose members' stored passwords it may ask for.

    ``password`` is None where the Secret with it is not there yet, which happens in check mode alone.
    """

    name: str
    group: str
    present: bool = True
    password: str | None = field(default=None, repr=False)


def bring_pooler_login(call: Call, where: Settings, wish: PoolerLogin, wait: float) -> dict[str, Any]:
    """The result of the verb, for the function in the database ``where``; ``wait`` are seconds for locks.

    Raises GoliveError ``administrator`` without a superuser, ``group_missing``, ``foreign_role`` where the name is that
    of a role with other rights, ``incomplete`` when the server did not keep what it took, and as ``carry_out``.
    """
    where = replace(where, database=where.database or "postgres")
    with connect(call, where, search_path="pg_catalog", application_name=APPLICATION) as guard:
        actions = planned(guard, wish)
        if actions and not call.check_mode:
            administrator = Administrator(str(guard.value("SELECT current_user::text")))
            if not wish.present:
                end = [one for one in actions if one.role]
                carry_out(call, where, guard, administrator, end, wait)
                for one in end:
                    end_sessions(call, guard, administrator, one.role)
            carry_out(call, where, guard, administrator, [one for one in actions if not one.role], wait)
            left = planned(guard, wish)
            if left:
                raise GoliveError(
                    "incomplete",
                    f"Setting up the login {wish.name} of the pooler left undone:"
                    f" {'; '.join(one.text for one in left)}.",
                    "Look who else changes roles and rights there; then run again.",
                    {"changed": True},
                )
    plan = [one.text for one in actions]
    result: dict[str, Any] = {"changed": bool(actions), "plan": plan, "query": QUERY}
    if call.diff_mode:
        result["diff"] = [diff_of(f"login {wish.name} of the pooler", None, "\n".join(plan))] if plan else []
    return result


def planned(session: Session, wish: PoolerLogin) -> list[Action]:
    """What is to be done, in order; raises GoliveError as ``bring_pooler_login``."""
    seen = session.rows(_READ, (wish.group, SCHEMA, wish.name, wish.name))[0]
    _refuse(seen, wish)
    return _to_make(session, seen, wish) if wish.present else _to_remove(seen, wish)


def _refuse(seen: dict[str, Any], wish: PoolerLogin) -> None:
    if not seen["superuser"]:
        raise GoliveError(
            "administrator",
            f"Setting up the login of a pooler was refused: {seen['administrator']} is no superuser, and only one may"
            " let another role ask for stored passwords.",
            "Log in as a superuser. A managed service mostly brings a pooler of its own.",
        )
    if wish.present and not seen["group_there"]:
        raise GoliveError(
            "group_missing",
            f"Setting up the login of a pooler was refused: there is no group {wish.group}.",
            "Run pg_access first, which makes the groups.",
        )
    if seen["powerful"]:
        raise GoliveError(
            "foreign_role",
            f"Setting up the login of a pooler was refused: the role {wish.name} has other rights, or is in a group.",
            "Give the pooler a login of its own.",
        )


def _to_make(session: Session, seen: dict[str, Any], wish: PoolerLogin) -> list[Action]:
    actions: list[Action] = []

    def do(sql: str, text: str = "") -> None:
        actions.append(Action(sql, text or sql))

    login, group = name(wish.name), wish.group
    if seen["can_login"] is None:
        do(f"CREATE ROLE {login} LOGIN NOINHERIT")
    elif not seen["can_login"]:
        do(f"ALTER ROLE {login} LOGIN")
    stored = session.value(_STORED, (wish.name,)) or ""
    if wish.password is None or not (is_scram(stored) and matches(wish.password, stored, wish.name)):
        alter = f"ALTER ROLE {login} PASSWORD"
        do(f"{alter} {literal(verifier(wish.password or ''))}", f"{alter} '********'")
    if not seen["schema_there"]:
        do(f"CREATE SCHEMA {SCHEMA}")
    body = _BODY.format(group=literal(group))
    made = {"body": body, "definer": True, "volatile": "s", "settings": [f"search_path={_PATH}"], "of_superuser": True}
    if session.rows(_MADE, (_SIGNATURE,)) != [made]:
        do(
            f"CREATE OR REPLACE FUNCTION {FUNCTION}(text) RETURNS TABLE (login text, verifier text) LANGUAGE sql STABLE"
            f" SECURITY DEFINER SET search_path = {_PATH} AS {literal(body)}",
            f"CREATE OR REPLACE FUNCTION {_SIGNATURE}, which tells the stored password of a login of {group}",
        )
    if session.value(_FUNCTION_RIGHTS, (_SIGNATURE,)) != [f"{wish.name} EXECUTE"]:
        do(f"REVOKE ALL ON FUNCTION {_SIGNATURE} FROM PUBLIC")
        do(f"GRANT EXECUTE ON FUNCTION {_SIGNATURE} TO {login}")
    if session.value(_SCHEMA_RIGHTS, (SCHEMA,)) != [f"{wish.name} USAGE"]:
        do(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {login}")
    return actions


def _to_remove(seen: dict[str, Any], wish: PoolerLogin) -> list[Action]:
    actions: list[Action] = []
    if seen["can_login"]:
        sql = f"ALTER ROLE {name(wish.name)} NOLOGIN"
        actions.append(Action(sql, sql, role=wish.name))
    drops = [f"DROP FUNCTION IF EXISTS {_SIGNATURE}", f"DROP SCHEMA {SCHEMA}"] if seen["schema_there"] else []
    drops += [f"DROP ROLE {name(wish.name)}"] if seen["can_login"] is not None else []
    return actions + [Action(sql, sql) for sql in drops]
