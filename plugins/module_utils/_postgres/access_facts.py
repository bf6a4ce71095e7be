# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and rights as sorted lines that a person compares; there are no secrets in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import (
    Database,
    Installed,
    Role,
    State,
    Thing,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Wish


class Fact(NamedTuple):
    """That ``who`` has a right on ``subject``; without ``who`` it is something about the subject itself."""

    subject: str
    who: str
    right: str


def facts_of(state: State, wish: Wish) -> frozenset[Fact]:
    """What a state says of what the verb looks after."""
    found: set[Fact] = set()
    if state.database:
        found |= database_facts(wish.database, state.database)
    for thing in (*state.schemas.values(), *state.things):
        found |= thing_facts(thing)
    for (schema, kind), rights in state.defaults.items():
        found |= {Fact(default_subject(wish, schema, kind), *right) for right in rights}
    for one in wish.extensions:
        if one.name in state.extensions:
            found.add(extension_fact(one.name, state.extensions[one.name]))
    for name in (*wish.groups.values(), *(login.name for login in wish.logins)):
        if name in state.roles:
            found |= role_facts(state.roles[name])
    listed = {*wish.groups.values(), *(login.name for login in wish.logins)}
    found |= {member_fact(one.member, one.role) for one in state.memberships if one.inherit and one.member in listed}
    return frozenset(found)


def database_facts(name: str, database: Database) -> set[Fact]:
    """Owner and rights of the database."""
    subject = f"database {name}"
    return {owner_fact(subject, database.owner), *(Fact(subject, *right) for right in database.rights)}


def thing_facts(thing: Thing) -> set[Fact]:
    """Owner and rights of an object."""
    rights = {Fact(str(thing), *right) for right in thing.rights}
    return rights if thing.linked else {owner_fact(str(thing), thing.owner), *rights}


def owner_fact(subject: str, owner: str) -> Fact:
    """Whose it is."""
    return Fact(subject, "", f"owner {owner}")


def default_subject(wish: Wish, schema: str, kind: str) -> str:
    """How new objects of a kind are named."""
    return f"new {kind}s of {wish.owner} in {schema}"


def extension_fact(name: str, installed: Installed) -> Fact:
    """An extension that is there."""
    return Fact(f"extension {name}", "", f"version {installed.version} in schema {installed.schema}")


def login_fact(name: str, can_login: bool) -> Fact:
    """Whether a role may log in."""
    return Fact(f"role {name}", "", "LOGIN" if can_login else "NOLOGIN")


def member_fact(member: str, role: str) -> Fact:
    """That it has the rights of the other one."""
    return Fact(f"role {member}", "", f"member of {role}")


def setting_fact(role: str, name: str, value: str) -> Fact:
    """What a setting is for sessions of the role in this database."""
    return Fact(f"role {role}", "", f"setting {name}={value}")


def createdb_fact(name: str) -> Fact:
    """That a role may make databases."""
    return Fact(f"role {name}", "", "CREATEDB")


def limit_facts(role: str, limit: int) -> set[Fact]:
    """How many sessions it may have; nothing where there is no limit."""
    return {Fact(f"role {role}", "", f"connection limit {limit}")} if limit >= 0 else set()


def role_facts(role: Role) -> set[Fact]:
    """All of a role but its memberships."""
    return {
        login_fact(role.name, role.can_login),
        *(Fact(f"role {role.name}", "", attribute) for attribute in role.attributes),
        *({createdb_fact(role.name)} if role.creates_databases else ()),
        *limit_facts(role.name, role.connection_limit),
        *(setting_fact(role.name, name, value) for name, value in role.settings.items()),
    }


def lines(facts: Iterable[Fact]) -> str:
    """One line for each subject and whoever has rights on it, sorted."""
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    said = []
    for fact in facts:
        if fact.who:
            grouped[fact.subject, fact.who].append(fact.right)
        else:
            said.append(f"{fact.subject}: {fact.right}")
    said += [f"{subject}: {who} {', '.join(sorted(rights))}" for (subject, who), rights in grouped.items()]
    return "".join(f"{line}\n" for line in sorted(said))
