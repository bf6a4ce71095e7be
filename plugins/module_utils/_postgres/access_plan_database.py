# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to whom inside a database, and what the groups may do with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_draft import Draft
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_facts import (
    Fact,
    default_subject,
    extension_fact,
    owner_fact,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_sql import literal, name
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import (
    DATABASE_OWNER,
    PUBLIC,
    Available,
    Installed,
    Right,
    Thing,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Extension

# Privileges of PostgreSQL, chapter «Privileges» of its documentation. A reader could write with all others.
_APP = {
    "schema": frozenset({"USAGE"}),
    "table": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"}),
    "sequence": frozenset({"USAGE", "SELECT", "UPDATE"}),
    "routine": frozenset({"EXECUTE"}),
}
_READER = {
    "schema": frozenset({"USAGE"}),
    "table": frozenset({"SELECT"}),
    "sequence": frozenset({"SELECT"}),
}
_WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES", "MAINTAIN", "USAGE"})
_ON = {"table": "TABLE", "sequence": "SEQUENCE", "routine": "ROUTINE", "schema": "SCHEMA"}
_DEFAULT_KINDS = ("table", "sequence", "routine")
_AT_ONCE = 100
_SHOWN = 5


def plan_database(draft: Draft) -> None:
    """Owner of the database, who may connect to it and who may make temporary tables."""
    wish, there = draft.wish, draft.state.database
    if there is None:
        return
    _refuse_other_form(draft)
    subject, quoted = f"database {wish.database}", name(wish.database)
    rights = set(there.rights)
    if there.owner != wish.owner:
        _give(draft, subject, there.owner, f"ALTER DATABASE {quoted} OWNER TO {name(wish.owner)}", rights)
        rights = {right for right in rights if right[0] != wish.owner}
    app = {"CONNECT", "TEMPORARY"} if wish.temporary else {"CONNECT"}
    wanted = {wish.app: app, wish.reader: {"CONNECT"}}
    admin = draft.state.administrator
    if not admin.superuser and wish.owner not in admin.roles:
        # Or it could not connect again once PUBLIC may not.
        wanted[admin.name] = {"CONNECT"}
    for role, privileges in wanted.items():
        _grant(draft, subject, f"DATABASE {quoted}", role, privileges - _held(rights, role))
    for role in (PUBLIC, wish.app, wish.reader):
        _revoke(draft, subject, f"DATABASE {quoted}", role, _held(rights, role) - wanted.get(role, set()))


def plan_schemas(draft: Draft) -> None:
    """Schemas, whose they are, and who may use them; that of the ledger is for owner and reader alone."""
    wish = draft.wish
    for schema in wish.all_schemas:
        there, quoted, subject = draft.state.schemas.get(schema), name(schema), f"schema {schema}"
        rights: set[Right] = set()
        if there is None:
            draft.needs.add(wish.owner)
            draft.do(f"CREATE SCHEMA {quoted} AUTHORIZATION {name(wish.owner)}", adds={owner_fact(subject, wish.owner)})
        else:
            rights = set(there.rights)
            if there.owner not in (wish.owner, DATABASE_OWNER):
                _give(draft, subject, there.owner, f"ALTER SCHEMA {quoted} OWNER TO {name(wish.owner)}", rights)
                rights = {right for right in rights if right[0] != wish.owner}
        ledger = schema == wish.ledger_schema
        wanted = {
            PUBLIC: set() if ledger else {"USAGE"},
            wish.app: set() if ledger else set(_APP["schema"]),
            wish.reader: set(_READER["schema"]),
        }
        for role, privileges in wanted.items():
            if role != PUBLIC:
                _grant(draft, subject, f"SCHEMA {quoted}", role, privileges - _held(rights, role))
            _revoke(draft, subject, f"SCHEMA {quoted}", role, _held(rights, role) - privileges)


def plan_things(draft: Draft) -> None:
    """Owners of the objects in the schemas, and rights on them."""
    wish = draft.wish
    foreign: dict[str, list[Thing]] = defaultdict(list)
    grants: dict[tuple[str, str, tuple[str, ...]], list[Thing]] = defaultdict(list)
    revokes: dict[tuple[str, str, tuple[str, ...]], list[Thing]] = defaultdict(list)
    for thing in draft.state.things:
        if thing.owner != wish.owner:
            foreign[thing.owner].append(thing)
        rights = {right for right in thing.rights if right[0] != wish.owner}
        app = _APP.get(thing.kind) if thing.schema != wish.ledger_schema else None
        for role, wanted in ((wish.app, app), (wish.reader, _READER.get(thing.kind))):
            lacking = (wanted or frozenset()) - _held(rights, role)
            if lacking:
                grants[thing.kind, role, tuple(sorted(lacking))].append(thing)
        extra = (_held(rights, wish.reader) & _WRITING) - _READER.get(thing.kind, frozenset())
        if extra:
            revokes[thing.kind, wish.reader, tuple(sorted(extra))].append(thing)
    for owner, things in sorted(foreign.items()):
        _give_things(draft, owner, things)
    for (kind, role, privileges), things in grants.items():
        _each(draft, "GRANT", kind, role, privileges, things)
    for (kind, role, privileges), things in revokes.items():
        _each(draft, "REVOKE", kind, role, privileges, things)


def plan_defaults(draft: Draft) -> None:
    """Rights on what the owner group will make in the schemas."""
    wish = draft.wish
    for schema in wish.all_schemas:
        for kind in _DEFAULT_KINDS:
            held = draft.state.defaults.get((schema, kind), frozenset())
            app = _APP[kind] if schema != wish.ledger_schema else frozenset()
            for role, wanted in ((wish.app, app), (wish.reader, _READER.get(kind, frozenset()))):
                lacking = sorted(wanted - _held(held, role))
                extra = sorted(_held(held, role) - wanted) if role == wish.reader or not wanted else []
                for verb, way, privileges in (("GRANT", "TO", lacking), ("REVOKE", "FROM", extra)):
                    if not privileges:
                        continue
                    facts = {Fact(default_subject(wish, schema, kind), role, one) for one in privileges}
                    draft.needs.add(wish.owner)
                    draft.do(
                        f"ALTER DEFAULT PRIVILEGES FOR ROLE {name(wish.owner)} IN SCHEMA {name(schema)}"
                        f" {verb} {', '.join(privileges)} ON {_ON[kind]}S {way} {name(role)}",
                        adds=facts if verb == "GRANT" else (),
                        removes=facts if verb == "REVOKE" else (),
                    )


def plan_extensions(draft: Draft) -> None:
    """Extensions; what needs no superuser is the owner group's, so that migrations may update it."""
    for one in draft.wish.extensions:
        there = draft.state.extensions.get(one.name)
        if there is not None:
            _plan_there(draft, one, there)
            continue
        available = draft.state.available.get(one.name)
        if available is None:
            draft.refuse(
                "extension_missing",
                f"The server does not have the extension {one.name}.",
                f"install the package that brings {one.name}.control, or take an image with it",
            )
        elif one.version and one.version not in available.versions:
            _refuse_version(draft, one, available)
        else:
            version = one.version or available.default
            schema = one.schema or available.schema
            sql = f"CREATE EXTENSION {name(one.name)}"
            if one.schema:
                sql += f" SCHEMA {name(one.schema)}"
            if one.version:
                sql += f" VERSION {literal(one.version)}"
            made = Installed(version, schema or "public", draft.wish.owner)
            _as_owner(draft, f"{sql} CASCADE", version in available.trusted, {extension_fact(one.name, made)})


def _plan_there(draft: Draft, one: Extension, there: Installed) -> None:
    available = draft.state.available.get(one.name)
    if one.schema and one.schema != there.schema:
        draft.refuse(
            "extension_schema",
            f"The extension {one.name} is in the schema {there.schema}, not in {one.schema}.",
            "correct schema, or move it in a migration that keeps the app's queries working",
        )
    if not one.version or one.version == there.version:
        return
    if available is None or one.version not in available.versions:
        _refuse_version(draft, one, available)
        return
    _as_owner(
        draft,
        f"ALTER EXTENSION {name(one.name)} UPDATE TO {literal(one.version)}",
        there.owner == draft.wish.owner,
        {extension_fact(one.name, Installed(one.version, there.schema, there.owner))},
        {extension_fact(one.name, there)},
    )


def _refuse_version(draft: Draft, one: Extension, available: Available | None) -> None:
    has = ", ".join(sorted(available.versions)) if available else "no version"
    draft.refuse(
        "extension_missing",
        f"The server has {has} of the extension {one.name}, not {one.version}.",
        "ask for one of these, or bring the other one to the server",
    )


def check_locked_out(draft: Draft) -> None:
    """Refuse to shut out whoever is connected, or owned something, and is not listed."""
    wish, state = draft.wish, draft.state
    closes = any(fact.subject == f"database {wish.database}" for action in draft.actions for fact in action.removes)
    if state.database is None or not closes:
        return
    listed = {login.name for login in wish.logins}
    keeps = {role for role, privilege in state.database.rights if privilege == "CONNECT" and role != PUBLIC}
    keeps |= set(wish.groups.values())
    for one in state.connected:
        if one.superuser or one.name in listed or one.name == state.administrator.name or one.roles & keeps:
            continue
        draft.refuse(
            "would_lock_out",
            f"{one.name} has sessions in the database {wish.database} and could not connect again.",
            f"list it in logins, or run GRANT CONNECT ON DATABASE {name(wish.database)} TO {name(one.name)}",
        )


def _refuse_other_form(draft: Draft) -> None:
    wish, there = draft.wish, draft.state.database
    if there is None:
        return
    wanted = (("encoding", wish.encoding, there.encoding), ("locale", wish.locale, there.locale))
    for option, asked, found in (*wanted, ("locale_provider", wish.provider, there.provider)):
        if asked and asked.replace("-", "").lower() != found.replace("-", "").lower():
            draft.refuse(
                "database_differs",
                f"The database {wish.database} has the {option} {found}, not {asked}.",
                f"leave {option} out, or dump the database and restore it into a new one",
            )


def _give(draft: Draft, subject: str, owner: str, sql: str, rights: Iterable[Right]) -> None:
    """Make something the owner group's, where nobody loses it without having been told."""
    wish, state = draft.wish, draft.state
    nobodys = (
        {state.administrator.name, state.bootstrap}
        if not subject.startswith("schema")
        else {
            state.administrator.name,
            *({state.bootstrap} if subject == "schema public" else ()),
        }
    )
    if owner not in nobodys and not _may_take(draft, owner, subject, 1):
        return
    draft.needs |= {wish.owner, owner}
    draft.do(
        sql,
        adds={owner_fact(subject, wish.owner)},
        removes={owner_fact(subject, owner), *(Fact(subject, *right) for right in rights if right[0] == wish.owner)},
    )


def _give_things(draft: Draft, owner: str, things: list[Thing]) -> None:
    shown = ", ".join(str(thing) for thing in things[:_SHOWN]) + (" …" if len(things) > _SHOWN else "")
    if not _may_take(draft, owner, shown, len(things)):
        return
    draft.needs |= {draft.wish.owner, owner}
    for thing in things:
        gone = {Fact(str(thing), *right) for right in thing.rights if right[0] == draft.wish.owner}
        if thing.linked:
            continue
        draft.do(
            f"ALTER {thing.keyword} {thing.identity} OWNER TO {name(draft.wish.owner)}",
            adds={owner_fact(str(thing), draft.wish.owner)},
            removes={owner_fact(str(thing), owner), *gone},
        )


def _may_take(draft: Draft, owner: str, what: str, count: int) -> bool:
    """Whether something of another owner may be taken over; a refusal says why not."""
    wish = draft.wish
    if not wish.take_over:
        belongs = f"{what} belongs to {owner}" if count == 1 else f"{count} objects belong to {owner}: {what}"
        draft.refuse(
            "foreign_owner",
            f"{belongs}, not to {wish.owner}; migrations could not change it.",
            f"set take_over to give it to {wish.owner}",
        )
        return False
    role = draft.state.roles.get(owner)
    listed = {login.name for login in wish.logins} | {draft.state.administrator.name}
    if role is not None and role.can_login and "SUPERUSER" not in role.attributes and owner not in listed:
        text = f"{owner} would lose what it owns ({what}), and is not in logins."
        hint = "list it with what it shall be from now on, or with the state disabled"
        if not any(one.code == "owner_not_listed" and owner in one.text for one in draft.refusals):
            draft.refuse("owner_not_listed", text, hint)
        return False
    return True


def _as_owner(draft: Draft, sql: str, as_owner: bool, adds: Iterable[Fact] = (), removes: Iterable[Fact] = ()) -> None:
    if as_owner:
        draft.needs.add(draft.wish.owner)
        sql = f"SET LOCAL ROLE {name(draft.wish.owner)}; {sql}; RESET ROLE"
    draft.do(sql, adds=adds, removes=removes)


def _grant(draft: Draft, subject: str, on: str, role: str, privileges: set[str]) -> None:
    if privileges:
        draft.needs.add(draft.wish.owner)
        draft.do(
            f"GRANT {', '.join(sorted(privileges))} ON {on} TO {name(role)}",
            adds={Fact(subject, role, one) for one in privileges},
        )


def _revoke(draft: Draft, subject: str, on: str, role: str, privileges: set[str]) -> None:
    if privileges:
        draft.needs.add(draft.wish.owner)
        draft.do(
            f"REVOKE {', '.join(sorted(privileges))} ON {on} FROM {role if role == PUBLIC else name(role)}",
            removes={Fact(subject, role, one) for one in privileges},
        )


def _each(draft: Draft, verb: str, kind: str, role: str, privileges: tuple[str, ...], things: list[Thing]) -> None:
    draft.needs.add(draft.wish.owner)
    for first in range(0, len(things), _AT_ONCE):
        part = things[first : first + _AT_ONCE]
        facts = {Fact(str(thing), role, one) for thing in part for one in privileges}
        draft.do(
            f"{verb} {', '.join(privileges)} ON {_ON[kind]} {', '.join(thing.identity for thing in part)}"
            f" {'TO' if verb == 'GRANT' else 'FROM'} {name(role)}",
            adds=facts if verb == "GRANT" else (),
            removes=facts if verb == "REVOKE" else (),
        )


def _held(rights: Iterable[Right], role: str) -> set[str]:
    return {privilege for grantee, privilege in rights if grantee == role}
