# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server has of roles and rights, as values that a plan can be made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PUBLIC = "PUBLIC"
DATABASE_OWNER = "pg_database_owner"
MONITOR = "pg_monitor"
SIGNAL = "pg_signal_backend"
MEMBERSHIP_OPTIONS_SINCE = 160000

Right = tuple[str, str]


@dataclass(frozen=True)
class Role:
    """A role. ``attributes`` are those of SUPERUSER, CREATEROLE, BYPASSRLS, REPLICATION that it has, and
    ``creates_databases`` whether it has CREATEDB.

    ``verifier`` is the stored password; None when it has none, or when the administrator may not read it.
    ``settings`` are those that hold in the database. ``administered`` tells whether the administrator may alter it.
    ``owns`` and ``named_elsewhere`` say what keeps it from being dropped: objects, and rights in other databases.
    """

    name: str
    can_login: bool = False
    inherit: bool = True
    attributes: frozenset[str] = frozenset()
    connection_limit: int = -1
    verifier: str | None = field(default=None, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)
    sessions: int = 0
    administered: bool = True
    owns: tuple[str, ...] = ()
    named_elsewhere: tuple[str, ...] = ()
    creates_databases: bool = False


@dataclass(frozen=True)
class Membership:
    """That ``member`` is in ``role``; before PostgreSQL 16 ``inherit`` is that of the member and ``set`` holds."""

    role: str
    member: str
    grantor: str
    inherit: bool = True
    set: bool = True


@dataclass(frozen=True)
class Thing:
    """An object with an owner. ``kind`` is what rights it takes: schema, table, sequence, routine or other.

    ``keyword`` and ``identity`` are how ALTER names it. ``rights`` are pairs of grantee and privilege, without those
    of its owner. ``linked`` is a sequence whose owner is always that of its table.
    """

    kind: str
    keyword: str
    identity: str
    schema: str
    owner: str
    rights: frozenset[Right] = frozenset()
    linked: bool = False

    def __str__(self) -> str:
        return f"{self.keyword.lower()} {self.identity}"


@dataclass(frozen=True)
class Database:
    """The database as the server has it; ``rights`` as in Thing."""

    owner: str
    encoding: str
    locale: str
    provider: str
    rights: frozenset[Right] = frozenset()


@dataclass(frozen=True)
class Administrator:
    """Whom the verb connects as. ``can_create`` are databases; ``roles`` whose rights it has and which it may become;
    ``may_grant_monitor`` whether it may make a role a member of pg_monitor, ``may_grant_signal`` of pg_signal_backend;
    ``reads_passwords`` the stored ones."""

    name: str
    superuser: bool = True
    can_create: bool = True
    create_role: bool = True
    roles: frozenset[str] = frozenset()
    may_grant_monitor: bool = True
    reads_passwords: bool = True
    may_grant_signal: bool = True


@dataclass(frozen=True)
class Available:
    """An extension that the server could make: its versions, that which it makes unasked, those that need no superuser,
    and the schema that it insists on."""

    versions: tuple[str, ...]
    default: str
    trusted: frozenset[str] = frozenset()
    schema: str | None = None


@dataclass(frozen=True)
class Installed:
    """An extension that is there."""

    version: str
    schema: str
    owner: str


@dataclass(frozen=True)
class Connected:
    """A role with sessions in the database, and the roles whose rights it has."""

    name: str
    superuser: bool
    roles: frozenset[str]


@dataclass(frozen=True)
class State:
    """All of it. ``defaults`` are the rights that new objects of the owner group get, by schema and kind.

    ``schemas`` are those that are asked for and there. ``things`` are the objects in them, without what belongs to
    extensions. ``bootstrap`` is the role that initdb has made. ``setting_names`` are those that the server knows.
    """

    version: int
    administrator: Administrator
    bootstrap: str = "postgres"
    roles: Mapping[str, Role] = field(default_factory=dict)
    memberships: tuple[Membership, ...] = ()
    database: Database | None = None
    schemas: Mapping[str, Thing] = field(default_factory=dict)
    things: tuple[Thing, ...] = ()
    defaults: Mapping[tuple[str, str], frozenset[Right]] = field(default_factory=dict)
    extensions: Mapping[str, Installed] = field(default_factory=dict)
    available: Mapping[str, Available] = field(default_factory=dict)
    connected: tuple[Connected, ...] = ()
    setting_names: frozenset[str] | None = None
    iterations: int = 4096

    def members(self, group: str) -> tuple[Membership, ...]:
        """The memberships of a group."""
        return tuple(one for one in self.memberships if one.role == group)
