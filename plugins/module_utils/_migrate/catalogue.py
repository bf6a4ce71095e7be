# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database's catalogue says of the user's own objects, as lines that can be compared."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# What the server calls its own: whoever makes objects gets numbers from here on (FirstNormalObjectId).
_SHARED = """
WITH spaces AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), members AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), ledger AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND (c.relname = ANY(%s) OR c.relname ~ '^side_')
        OR n.nspname = 'golive' AND c.relname IN ('sqlite_copies', 'sqlite_chunks')
), relations AS (
    SELECT c.*, pg_get_userbyid(c.relowner) AS owner, c.oid::regclass::text AS label,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END AS what
    FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND c.oid NOT IN (SELECT oid FROM ledger)
        AND c.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_class'::regclass)
        AND NOT (c.relkind = 'S' AND EXISTS (SELECT 1 FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'))
), acls AS (
    SELECT what || ' ' || label AS label, relacl AS acl,
        acldefault((CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner) AS usual
    FROM relations WHERE relkind <> 'c'
    UNION ALL
    SELECT 'column ' || r.label || '.' || quote_ident(a.attname), a.attacl, '{}'
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attacl IS NOT NULL
    UNION ALL
    SELECT 'schema ' || quote_ident(nspname), nspacl, acldefault('n', nspowner) FROM spaces
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, p.proacl, acldefault('f', p.proowner)
    FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace
    WHERE p.oid >= 16384 AND p.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_proc'::regclass)
    UNION ALL
    SELECT 'type ' || t.oid::regtype, t.typacl, acldefault('T', t.typowner)
    FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace WHERE t.typrelid = 0 AND t.typelem = 0
        AND t.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_type'::regclass)
    UNION ALL
    SELECT 'server ' || quote_ident(srvname), srvacl, acldefault('S', srvowner) FROM pg_foreign_server
)
"""
# Each gives rows of `key` and `body`; an empty body is no text. Names come with their schema, see `snapshot`.
_PARTS = (
    # Schemas and extensions; what belongs to an extension is not listed, its version says it.
    """
SELECT 'schema ' || quote_ident(nspname), 'owner ' || pg_get_userbyid(nspowner) FROM spaces
UNION ALL
SELECT 'extension ' || quote_ident(extname), format('version %%s, schema %%s', extversion, extnamespace::regnamespace)
FROM pg_extension""",
    # Tables without their columns, views, materialised views and composite types.
    """
SELECT what || ' ' || label, concat_ws(', ', 'owner ' || owner,
    CASE relpersistence WHEN 'u' THEN 'unlogged' END,
    CASE WHEN relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(r.oid) END,
    (SELECT string_agg(CASE WHEN relispartition THEN 'partition of ' ELSE 'inherits ' END || i.inhparent::regclass, ', '
        ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = r.oid),
    pg_get_expr(relpartbound, r.oid),
    CASE WHEN relrowsecurity THEN 'row security' END, CASE WHEN relforcerowsecurity THEN 'forced' END,
    CASE WHEN relkind IN ('r', 'p') AND relreplident <> 'd' THEN 'replica identity ' || relreplident::text END,
    CASE WHEN a.amname <> 'heap' THEN 'using ' || a.amname END, 'of ' || nullif(reloftype, 0)::regtype,
    'with ' || array_to_string(reloptions, ' '), 'server ' || s.srvname, array_to_string(f.ftoptions, ' '))
    || CASE WHEN relkind IN ('v', 'm') THEN E'\n' || pg_get_viewdef(r.oid, true) ELSE '' END
FROM relations r LEFT JOIN pg_am a ON a.oid = r.relam LEFT JOIN pg_foreign_table f ON f.ftrelid = r.oid
LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE relkind <> 'S'""",
    # Columns, in no order: where one stands does not come back when it was dropped. Nor does an option that the server
    # keeps for itself, such as pg_attver of PostgreSQL 15.20.
    """
SELECT 'column ' || r.label || '.' || quote_ident(a.attname), concat_ws(' ',
    format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
    CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation END,
    CASE a.attgenerated WHEN '' THEN 'default ' ELSE 'generated ' || a.attgenerated::text || ' ' END
        || pg_get_expr(d.adbin, d.adrelid),
    CASE a.attidentity WHEN '' THEN NULL ELSE 'identity ' || a.attidentity::text
        || (SELECT format(' (%%s %%s %%s %%s %%s %%s)', q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,
            q.seqcycle) FROM pg_depend i JOIN pg_sequence q ON q.seqrelid = i.objid WHERE i.deptype = 'i'
            AND i.classid = 'pg_class'::regclass AND i.refobjid = a.attrelid AND i.refobjsubid = a.attnum) END,
    CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
    'compression ' || nullif(a.attcompression::text, ''),
    'statistics ' || nullif(coalesce(a.attstattarget, -1), -1),
    'with ' || (SELECT string_agg(o, ' ') FROM unnest(a.attoptions) o WHERE o !~ '^pg_'),
    array_to_string(a.attfdwoptions, ' '))
FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'f', 'c') OR d.oid IS NOT NULL""",
    # Constraints of tables and domains, NOT VALID included, and their indexes with them.
    """
SELECT 'constraint ' || coalesce(r.label, t.oid::regtype::text) || '.' || quote_ident(o.conname),
    pg_get_constraintdef(o.oid)
FROM pg_constraint o LEFT JOIN relations r ON r.oid = o.conrelid
LEFT JOIN (SELECT t.oid FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace
    WHERE t.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_type'::regclass)) t ON t.oid = o.contypid
WHERE r.oid IS NOT NULL OR t.oid IS NOT NULL""",
    """
SELECT 'index ' || i.indexrelid::regclass, concat_ws(' ', pg_get_indexdef(i.indexrelid),
    CASE WHEN NOT (i.indisvalid AND i.indisready) THEN 'INVALID' END, CASE WHEN i.indisclustered THEN 'clustered' END,
    CASE WHEN i.indisreplident THEN 'replica identity' END,
    'partition of ' || (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = i.indexrelid))
FROM pg_index i JOIN relations r ON r.oid = i.indrelid
WHERE NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))""",
    """
SELECT 'sequence ' || r.label, format('owner %%s, %%s, start %%s, increment %%s, %%s to %%s, cache %%s, cycle %%s%%s',
    r.owner, format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle,
    ', owned by ' || (SELECT d.refobjid::regclass || '.' || quote_ident(a.attname) FROM pg_depend d
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'a'))
FROM relations r JOIN pg_sequence q ON q.seqrelid = r.oid""",
    # Functions, procedures and aggregates.
    """
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate ' WHEN 'p' THEN 'procedure ' ELSE 'function ' END
    || p.oid::regprocedure, 'owner ' || pg_get_userbyid(p.proowner) || E'\n' || CASE WHEN p.prokind <> 'a'
    THEN pg_get_functiondef(p.oid) ELSE concat_ws(', ', 'returns ' || p.prorettype::regtype, a.aggtransfn,
        a.aggtranstype::regtype, a.aggfinalfn, a.aggcombinefn, 'starts with ' || a.agginitval, p.proparallel) END
FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE p.oid >= 16384 AND p.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_proc'::regclass)""",
    # Triggers, rules and policies.
    """
SELECT 'trigger ' || r.label || '.' || quote_ident(t.tgname), concat_ws(' ', pg_get_triggerdef(t.oid),
    CASE t.tgenabled WHEN 'O' THEN NULL WHEN 'D' THEN 'disabled' ELSE 'enabled ' || t.tgenabled::text END)
FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule ' || r.label || '.' || quote_ident(w.rulename), concat_ws(' ', pg_get_ruledef(w.oid),
    CASE w.ev_enabled WHEN 'O' THEN NULL ELSE 'enabled ' || w.ev_enabled::text END)
FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'policy ' || r.label || '.' || quote_ident(p.polname), concat_ws(' ',
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for ' || p.polcmd::text, 'to '
    || (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE pg_get_userbyid(o) END, ', ' ORDER BY 1)
        FROM unnest(p.polroles) o),
    'using (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
FROM pg_policy p JOIN relations r ON r.oid = p.polrelid
UNION ALL
SELECT 'event trigger ' || quote_ident(evtname), concat_ws(' ', evtevent, evtfoid::regprocedure,
    'enabled ' || evtenabled::text, array_to_string(evttags, ' ')) FROM pg_event_trigger""",
    # Enumerations, domains, ranges and base types.
    """
SELECT 'type ' || t.oid::regtype, concat_ws(' ', 'owner ' || pg_get_userbyid(t.typowner) || ',', CASE t.typtype
    WHEN 'e' THEN 'enum (' || (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
        FROM pg_enum WHERE enumtypid = t.oid) || ')'
    WHEN 'd' THEN concat_ws(' ', 'domain', format_type(t.typbasetype, t.typtypmod),
        CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
        CASE WHEN t.typcollation <> 0 THEN 'collate ' || t.typcollation::regcollation END)
    WHEN 'r' THEN 'range of ' || (SELECT rngsubtype::regtype FROM pg_range WHERE rngtypid = t.oid)
    ELSE 'base' END)
FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace
WHERE t.typrelid = 0 AND t.typelem = 0 AND t.typtype IN ('e', 'd', 'r', 'b')
    AND t.oid NOT IN (SELECT objid FROM members WHERE classid = 'pg_type'::regclass)""",
    # What has few users: that it is there, and for statistics and publications what they say.
    """
SELECT i.type || ' ' || i.identity, coalesce(o.body, '') FROM (
    SELECT 'pg_statistic_ext'::regclass AS class, oid, pg_get_statisticsobjdef(oid) AS body FROM pg_statistic_ext
    UNION ALL SELECT 'pg_publication'::regclass, oid, concat_ws(' ', CASE WHEN puballtables THEN 'all tables' END,
        pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot) FROM pg_publication
    UNION ALL SELECT DISTINCT classid, objid, NULL FROM pg_depend WHERE refclassid = 'pg_publication'::regclass
    UNION ALL SELECT 'pg_collation'::regclass, oid, NULL FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, NULL FROM pg_conversion
    UNION ALL SELECT 'pg_operator'::regclass, oid, NULL FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, NULL FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, NULL FROM pg_opfamily
    UNION ALL SELECT 'pg_cast'::regclass, oid, NULL FROM pg_cast
    UNION ALL SELECT 'pg_transform'::regclass, oid, NULL FROM pg_transform
    UNION ALL SELECT 'pg_language'::regclass, oid, NULL FROM pg_language
    UNION ALL SELECT 'pg_am'::regclass, oid, NULL FROM pg_am
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, NULL FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, NULL FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, NULL FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, NULL FROM pg_ts_template
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, NULL FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, NULL FROM pg_foreign_server
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid, NULL FROM pg_user_mappings
) o, LATERAL pg_identify_object(o.class, o.oid, 0) i
WHERE o.oid >= 16384 AND NOT EXISTS (SELECT 1 FROM members m WHERE m.classid = o.class AND m.objid = o.oid)""",
    # Rights beyond those that an object's kind gives anyway: a GRANT and its REVOKE leave the usual ones written down.
    """
SELECT 'grant on ' || a.label || ': ' || g.acl, '' FROM acls a,
    LATERAL (SELECT unnest(a.acl)::text EXCEPT SELECT unnest(a.usual)::text) g (acl)
UNION ALL
SELECT 'no grant on ' || a.label || ': ' || g.acl, '' FROM acls a,
    LATERAL (SELECT unnest(a.usual)::text EXCEPT SELECT unnest(a.acl)::text) g (acl) WHERE a.acl IS NOT NULL
UNION ALL
SELECT concat_ws(' ', 'default grant for', pg_get_userbyid(defaclrole),
    'in ' || nullif(defaclnamespace, 0)::regnamespace, 'on', defaclobjtype) || ': ' || g.acl, ''
FROM pg_default_acl, LATERAL (SELECT unnest(defaclacl)::text) g (acl)""",
    """
SELECT 'comment on ' || i.type || ' ' || i.identity, d.description
FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE d.objoid >= 16384 AND d.objoid NOT IN (SELECT oid FROM ledger) AND d.classoid <> 'pg_extension'::regclass
    AND NOT EXISTS (SELECT 1 FROM members m WHERE m.classid = d.classoid AND m.objid = d.objoid)""",
)
_QUERY = _SHARED + "\nUNION ALL".join(f"\nSELECT * FROM ({part}) part (key, body)" for part in _PARTS)
# How the server writes definitions depends on these, whoever asks; compiling would take longer than the query.
_FORMS = {
    "search_path": "pg_catalog",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "jit": "off",
}
_CONTEXT = 3


@dataclass(frozen=True)
class Snapshot:
    """The catalogue at one moment: ``text`` has its lines in a fixed order, those of one object together."""

    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def diff(self, later: Snapshot) -> list[str]:
        """The lines that differ in ``later``, as a unified diff without the names of files."""
        lines = difflib.unified_diff(self.text.splitlines(), later.text.splitlines(), n=_CONTEXT, lineterm="")
        return list(lines)[2:]

    def parts(self, later: Snapshot) -> tuple[str, str]:
        """What ``diff`` shows, as two texts: what differs and the lines around it, here and in ``later``."""
        before, after = self.text.splitlines(keepends=True), later.text.splitlines(keepends=True)
        hunks = difflib.SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT)
        edges = [(hunk[0], hunk[-1]) for hunk in hunks]
        return (
            "".join(line for first, last in edges for line in before[first[1] : last[2]]),
            "".join(line for first, last in edges for line in after[first[3] : last[4]]),
        )


def snapshot(session: Session, ledger: Ledger) -> Snapshot:
    """The catalogue of ``session``'s database without what belongs to the ledger: its tables, and side tables, which
    hold rows and outlive a down script. Raises SqlError.

    The same objects give the same text on servers of one major version, whoever asks and in whatever order they were
    made. In it are schemas, extensions, tables, columns, constraints, indexes, sequences, views, routines, triggers,
    rules, policies, types, rights and comments, by the server's own definitions. The session must be outside of a
    transaction.
    """
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        calls = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * len(_FORMS))
        session.execute(f"SELECT {calls}", [text for pair in _FORMS.items() for text in pair])
        rows = session.rows(_QUERY, (ledger.schema, list(ledger.tables)))
    finally:
        if not session.closed:
            session.execute("ROLLBACK")
    # An object that goes away meanwhile has no name any more.
    named = [row for row in rows if row["key"] and row["key"] != f"schema {ledger.schema}"]
    return Snapshot("".join(_lines(f"{row['key']}: {row['body']}" if row["body"] else row["key"] for row in named)))


def _lines(entries: Iterable[str]) -> Iterable[str]:
    """One line for each entry; what goes on behind its first one is put further in."""
    for entry in sorted(entries):
        first, *rest = entry.rstrip().splitlines()
        yield f"{first.rstrip()}\n"
        yield from (f"    {line}".rstrip() + "\n" for line in rest)
