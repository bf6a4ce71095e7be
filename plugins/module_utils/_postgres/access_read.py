# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the roles and rights of a server, and of one database of it, from the catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_scram import ITERATIONS
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import (
    MEMBERSHIP_OPTIONS_SINCE,
    MONITOR,
    PUBLIC,
    SIGNAL,
    Administrator,
    Available,
    Connected,
    Database,
    Installed,
    Membership,
    Right,
    Role,
    State,
    Thing,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Wish

_ADMINISTRATOR = """
SELECT rolname::text AS name, rolsuper AS superuser, rolcreatedb AS can_create, rolcreaterole AS create_role,
    ARRAY(SELECT o.rolname::text FROM pg_catalog.pg_roles o WHERE pg_catalog.pg_has_role(r.oid, o.oid, 'USAGE')
        AND pg_catalog.pg_has_role(r.oid, o.oid, {become})) AS roles,
    ARRAY(SELECT o.rolname::text FROM pg_catalog.pg_roles o
        WHERE pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER WITH ADMIN OPTION')) AS administered,
    pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS reads_passwords,
    (SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid = 10) AS bootstrap
FROM pg_catalog.pg_roles r WHERE rolname = current_user"""
_ROLES = """
SELECT r.oid, r.rolname::text AS name, r.rolcanlogin AS can_login, r.rolinherit AS inherit, r.rolsuper AS superuser,
    r.rolcreaterole AS createrole, r.rolcreatedb AS creates_databases,
    r.rolbypassrls AS bypassrls, r.rolreplication AS replication,
    r.rolconnlimit AS connection_limit, {verifier} AS verifier,
    coalesce((SELECT s.setconfig FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = r.oid
        AND s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = %s)), '{{}}') AS settings,
    (SELECT count(*) FROM pg_catalog.pg_stat_activity a
        WHERE a.usesysid = r.oid AND a.pid <> pg_catalog.pg_backend_pid()) AS sessions
FROM {source} r WHERE r.rolname = ANY(%s)"""
_MEMBERSHIPS = """
SELECT g.rolname::text AS role, u.rolname::text AS member,
    coalesce(b.rolname::text, '') AS grantor, {inherit} AS inherit, {become} AS set
FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
    JOIN pg_catalog.pg_roles u ON u.oid = m.member LEFT JOIN pg_catalog.pg_roles b ON b.oid = m.grantor
WHERE g.rolname = ANY(%s) OR u.rolname = ANY(%s) ORDER BY 2, 3, 4"""
# Pairs of grantee and privilege, without those of the owner; what was never granted anything has the server's default.
_RIGHTS_OF = """
(SELECT coalesce(pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_array(
        CASE WHEN x.grantee = 0 THEN '{public}' ELSE pg_catalog.pg_get_userbyid(x.grantee)::text END,
        x.privilege_type)), '[]')
    FROM pg_catalog.aclexplode(coalesce({acl}, pg_catalog.acldefault({kind}, {owner}))) x
    WHERE x.grantee <> {owner})"""
_DATABASE = """
SELECT pg_catalog.pg_get_userbyid(datdba)::text AS owner, pg_catalog.pg_encoding_to_char(encoding)::text AS encoding,
    {locale} AS locale, {provider} AS provider, {rights} AS rights
FROM pg_catalog.pg_database WHERE datname = %s"""
_PROVIDER = "CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END"
_CONNECTED = """
SELECT r.rolname::text AS name, r.rolsuper AS superuser, ARRAY(SELECT o.rolname::text FROM pg_catalog.pg_roles o
    WHERE pg_catalog.pg_has_role(r.oid, o.oid, 'USAGE')) AS roles
FROM pg_catalog.pg_roles r WHERE r.oid IN (SELECT usesysid FROM pg_catalog.pg_stat_activity WHERE datname = %s)
ORDER BY 1"""
# Objects of this database by name, those of others by the name of the database only: nobody can see into it.
_KEEPS = """
SELECT u.rolname::text AS role, d.deptype = 'o' AS owns,
    CASE WHEN d.dbid = 0 OR d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        THEN pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
        ELSE 'something in the database ' || coalesce(b.datname::text, '?') END AS what,
    d.dbid <> 0 AND b.datname IS DISTINCT FROM current_database() AS elsewhere
FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles u ON u.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_database b ON b.oid = d.dbid
WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.classid <> 'pg_catalog.pg_auth_members'::regclass
    AND u.rolname = ANY(%s) ORDER BY 1, 3"""
_SCHEMAS = """
SELECT nspname::text AS schema, pg_catalog.pg_get_userbyid(nspowner)::text AS owner, {rights} AS rights
FROM pg_catalog.pg_namespace WHERE nspname = ANY(%s)"""
# Row types of tables and arrays follow what they were made with; multiranges do so from 17 on.
_THINGS = """
WITH wanted AS (SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%s)),
things AS (
    SELECT 'pg_catalog.pg_class'::regclass AS catalogue, c.oid, c.relnamespace AS space, c.relowner AS owner,
        CASE WHEN c.relkind = 'S' THEN 'sequence' ELSE 'table' END AS kind,
        CASE WHEN c.relkind = 'S' THEN {sequence} ELSE {table} END AS rights,
        c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype IN ('a', 'i')
            AND d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass) AS linked
    FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
        AND c.relnamespace IN (SELECT oid FROM wanted)
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, p.oid, p.pronamespace, p.proowner, 'routine', {routine}, false
    FROM pg_catalog.pg_proc p WHERE p.pronamespace IN (SELECT oid FROM wanted)
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, t.typnamespace, t.typowner, 'other', '[]', false
    FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace IN (SELECT oid FROM wanted) AND (c.oid IS NULL OR c.relkind = 'c') AND {types}
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
    {others})
SELECT t.kind, i.type::text AS type, i.identity::text AS identity, w.nspname::text AS schema,
    pg_catalog.pg_get_userbyid(t.owner)::text AS owner, t.rights, t.linked
FROM things t JOIN wanted w ON w.oid = t.space
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(t.catalogue, t.oid, 0) i
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' AND d.classid = t.catalogue
    AND d.objid = t.oid)
ORDER BY w.nspname, i.type, i.identity"""
_OTHERS = {
    "pg_operator": "opr",
    "pg_opclass": "opc",
    "pg_opfamily": "opf",
    "pg_collation": "coll",
    "pg_conversion": "con",
    "pg_ts_config": "cfg",
    "pg_ts_dict": "dict",
    "pg_statistic_ext": "stx",
}
_KEYWORDS = {
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "aggregate": "ROUTINE",
    "statistics object": "STATISTICS",
    "composite type": "TYPE",
}
_DEFAULTS = """
SELECT n.nspname::text AS schema, d.defaclobjtype AS kind, {rights} AS rights
FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
WHERE pg_catalog.pg_get_userbyid(d.defaclrole) = %s AND n.nspname = ANY(%s)"""
_MULTIRANGES_FOLLOW_SINCE = 170000
_DEFAULT_KINDS = {"r": "table", "S": "sequence", "f": "routine"}
_EXTENSIONS = """
SELECT e.extname::text AS name, e.extversion AS version, n.nspname::text AS schema,
    pg_catalog.pg_get_userbyid(e.extowner)::text AS owner
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"""
_AVAILABLE = """
SELECT v.name::text AS name, pg_catalog.array_agg(v.version) AS versions, max(a.default_version) AS default,
    pg_catalog.array_remove(pg_catalog.array_agg(CASE WHEN v.trusted THEN v.version END), NULL) AS trusted,
    max(v.schema::text) AS schema
FROM pg_catalog.pg_available_extension_versions v JOIN pg_catalog.pg_available_extensions a ON a.name = v.name
WHERE v.name = ANY(%s) GROUP BY 1"""


def read_state(server: Session, database: Session | None, wish: Wish) -> State:
    """The state of the server, and of the database when there is a session in it. Raises SqlError."""
    version = server.server_version
    found = server.rows(_ADMINISTRATOR.format(become="'SET'" if version >= MEMBERSHIP_OPTIONS_SINCE else "'MEMBER'"))[0]
    administered = frozenset(found.pop("administered"))
    bootstrap = found.pop("bootstrap")
    old = version < MEMBERSHIP_OPTIONS_SINCE
    administrator = Administrator(
        **{**found, "roles": frozenset(found["roles"])},
        may_grant_monitor=found["superuser"] or (old and found["create_role"]) or MONITOR in administered,
        may_grant_signal=found["superuser"] or (old and found["create_role"]) or SIGNAL in administered,
    )
    inside: dict[str, Any] = {}
    things: tuple[Thing, ...] = ()
    if database is not None:
        things = _things(database, wish)
        inside = {
            "schemas": _schemas(database, wish),
            "defaults": _defaults(database, wish),
            "extensions": {row.pop("name"): Installed(**row) for row in database.rows(_EXTENSIONS)},
            "connected": tuple(
                Connected(row["name"], row["superuser"], frozenset(row["roles"]))
                for row in server.rows(_CONNECTED, (wish.database,))
            ),
        }
    names = {*wish.groups.values(), *(login.name for login in wish.logins)}
    memberships = _memberships(server, list(wish.groups.values()), sorted(names))
    there = _database(server, wish.database)
    # Also whom something is taken from, and whoever is in a group.
    owners = {thing.owner for thing in (*things, *inside.get("schemas", {}).values())}
    inside_groups = {one.member for one in memberships if one.role in wish.groups.values()}
    names |= {*owners, *inside_groups, *([there.owner] if there else [])}
    return State(
        version=version,
        administrator=administrator,
        bootstrap=bootstrap,
        roles=_roles(server, database or server, wish, sorted(names), administrator, administered),
        memberships=memberships,
        database=there,
        things=things,
        available={
            row["name"]: Available(tuple(row["versions"]), row["default"], frozenset(row["trusted"]), row["schema"])
            for row in (database or server).rows(_AVAILABLE, ([one.name for one in wish.extensions],))
        },
        setting_names=frozenset(
            row["name"] for row in server.rows("SELECT pg_catalog.lower(name) AS name FROM pg_catalog.pg_settings")
        ),
        iterations=int(server.value("SELECT pg_catalog.current_setting('scram_iterations', true)") or ITERATIONS),
        **inside,
    )


def _roles(
    server: Session,
    inside: Session,
    wish: Wish,
    names: list[str],
    administrator: Administrator,
    administered: frozenset[str],
) -> dict[str, Role]:
    reads = administrator.reads_passwords
    query = _ROLES.format(
        source="pg_catalog.pg_authid" if reads else "pg_catalog.pg_roles",
        verifier="r.rolpassword" if reads else "NULL::text",
    )
    keeps: dict[tuple[str, bool], list[str]] = defaultdict(list)
    leaving = [login.name for login in wish.logins if login.state == "absent"]
    for row in inside.rows(_KEEPS, (leaving,)) if leaving else ():
        if row["owns"] or row["elsewhere"]:
            keeps[row["role"], row["owns"]].append(row["what"])
    before_16 = server.server_version < MEMBERSHIP_OPTIONS_SINCE
    roles = {}
    for row in server.rows(query, (wish.database, names)):
        flags = {"superuser", "createrole", "bypassrls", "replication"}
        name = row["name"]
        free = before_16 and administrator.create_role and not row["superuser"]
        roles[name] = Role(
            name=name,
            can_login=row["can_login"],
            inherit=row["inherit"],
            attributes=frozenset(flag.upper() for flag in flags if row[flag]),
            connection_limit=row["connection_limit"],
            verifier=row["verifier"],
            settings=dict(entry.split("=", 1) for entry in row["settings"]),
            sessions=row["sessions"],
            administered=administrator.superuser or free or (name in administered and not row["superuser"]),
            owns=tuple(keeps[name, True]),
            named_elsewhere=tuple(keeps[name, False]),
            creates_databases=row["creates_databases"],
        )
    return roles


def _memberships(server: Session, groups: list[str], members: list[str]) -> tuple[Membership, ...]:
    options = server.server_version >= MEMBERSHIP_OPTIONS_SINCE
    query = _MEMBERSHIPS.format(
        inherit="m.inherit_option" if options else "u.rolinherit", become="m.set_option" if options else "true"
    )
    return tuple(
        Membership(row["role"], row["member"], row["grantor"], row["inherit"], row["set"])
        for row in server.rows(query, (groups, members))
    )


def _database(server: Session, name: str) -> Database | None:
    version = server.server_version
    locale = "datcollate::text"
    if version >= 170000:
        locale = "coalesce(datlocale, datcollate)::text"
    elif version >= 150000:
        locale = "coalesce(daticulocale, datcollate)::text"
    query = _DATABASE.format(
        locale=locale,
        provider=_PROVIDER if version >= 150000 else "'libc'",
        rights=_rights("datacl", "d", "datdba"),
    )
    rows = server.rows(query, (name,))
    return Database(**{**rows[0], "rights": _pairs(rows[0]["rights"])}) if rows else None


def _schemas(session: Session, wish: Wish) -> dict[str, Thing]:
    query = _SCHEMAS.format(rights=_rights("nspacl", "n", "nspowner"))
    return {
        row["schema"]: Thing("schema", "SCHEMA", row["schema"], row["schema"], row["owner"], _pairs(row["rights"]))
        for row in session.rows(query, (list(wish.all_schemas),))
    }


def _things(session: Session, wish: Wish) -> tuple[Thing, ...]:
    others = "".join(
        f" UNION ALL SELECT 'pg_catalog.{table}'::regclass, oid, {prefix}namespace, {prefix}owner, 'other', '[]', false"
        f" FROM pg_catalog.{table} WHERE {prefix}namespace IN (SELECT oid FROM wanted)"
        for table, prefix in _OTHERS.items()
    )
    query = _THINGS.format(
        table=_rights("c.relacl", "r", "c.relowner"),
        sequence=_rights("c.relacl", "s", "c.relowner"),
        routine=_rights("p.proacl", "f", "p.proowner"),
        types="true" if session.server_version < _MULTIRANGES_FOLLOW_SINCE else "t.typtype <> 'm'",
        others=others,
    )
    return tuple(
        Thing(
            row["kind"],
            _KEYWORDS.get(row["type"], row["type"].upper()),
            row["identity"],
            row["schema"],
            row["owner"],
            _pairs(row["rights"]),
            row["linked"],
        )
        for row in session.rows(query, (list(wish.all_schemas),))
    )


def _defaults(session: Session, wish: Wish) -> dict[tuple[str, str], frozenset[Right]]:
    query = _DEFAULTS.format(rights=_rights("d.defaclacl", "r", "d.defaclrole"))
    return {
        (row["schema"], _DEFAULT_KINDS[row["kind"]]): _pairs(row["rights"])
        for row in session.rows(query, (wish.owner, list(wish.all_schemas)))
        if row["kind"] in _DEFAULT_KINDS
    }


def _rights(acl: str, kind: str, owner: str) -> str:
    """The expression for an object's rights; ``kind`` as in ``acldefault``."""
    return _RIGHTS_OF.format(public=PUBLIC, acl=acl, kind=f"'{kind}'", owner=owner)


def _pairs(rights: Iterable[list[str]]) -> frozenset[Right]:
    return frozenset((grantee, privilege) for grantee, privilege in rights)
