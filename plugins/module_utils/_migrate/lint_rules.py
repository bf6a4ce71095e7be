# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules as data: what each is called, how bad it is, which lock it means, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass

ERROR = "error"
WARNING = "warning"
INFO = "info"
SEVERITIES = (ERROR, WARNING, INFO)

_AE = "ACCESS EXCLUSIVE"
_SRE = "SHARE ROW EXCLUSIVE"
_SHARE = "SHARE"


@dataclass(frozen=True)
class Rule:
    """One rule; ids are public and never change meaning.

    ``since`` and ``until`` are major versions of the server on which it is unsafe, ``rewrite_since`` the first one
    that has the rewrite; 0 is any. ``work`` says what the lock is held for: ``scan`` (the table is read), ``build``
    (an index is built), ``rewrite`` (table and indexes are written anew), or nothing for a moment.
    """

    id: str
    severity: str
    lock: str
    effect: str
    rewrite: str
    work: str = ""
    since: int = 0
    until: int = 0
    rewrite_since: int = 0

    def holds_on(self, version: int | None) -> bool:
        """Whether it is unsafe on a server of this major version; an unknown version is any."""
        return version is None or (self.since <= version and (not self.until or version <= self.until))


_RULES = (
    Rule(
        "create-index-blocking",
        ERROR,
        _SHARE,
        "writes stop until the index is built",
        "CREATE INDEX CONCURRENTLY in a file of its own, which runs outside of a transaction.",
        "build",
    ),
    Rule(
        "concurrent-in-transaction",
        ERROR,
        "",
        "the server refuses it inside a transaction (25001)",
        "Put it into a file of its own.",
    ),
    Rule(
        "invalid-index-kept",
        ERROR,
        "",
        "an INVALID index of that name is there: IF NOT EXISTS keeps it and reports success",
        "DROP INDEX CONCURRENTLY the invalid index, then build it again.",
    ),
    Rule(
        "concurrent-under-lock-timeout",
        ERROR,
        "",
        "waiting for older transactions counts as a lock wait: it is cancelled and leaves an INVALID index",
        "Run it without lock_timeout, when no old transaction is open.",
    ),
    Rule(
        "drop-index-blocking",
        WARNING,
        _AE,
        "queries of the table wait behind it",
        "DROP INDEX CONCURRENTLY in a file of its own.",
    ),
    Rule(
        "reindex-blocking",
        ERROR,
        _AE,
        "writes stop, and so do reads that would use the index",
        "REINDEX ... CONCURRENTLY, then look for indexes left over as _ccnew or _ccold.",
        "build",
        rewrite_since=12,
    ),
    Rule(
        "vacuum-full-or-cluster",
        ERROR,
        _AE,
        "the table is written anew while nobody can read it",
        "pg_repack; from PostgreSQL 19 REPACK (CONCURRENTLY).",
        "rewrite",
    ),
    Rule(
        "index-on-partitioned-parent",
        ERROR,
        _SHARE,
        "writes of all partitions stop; CONCURRENTLY is refused on the parent",
        "CREATE INDEX ... ON ONLY the parent, CONCURRENTLY on each partition, then ATTACH PARTITION them.",
        "build",
    ),
    Rule(
        "index-budget", WARNING, "", "each write pays for it", "Use fewer columns, or drop an index that is not used."
    ),
    Rule(
        "add-column-volatile-default",
        ERROR,
        _AE,
        "each row gets a value of its own: the table is written anew",
        "Add the column bare, SET DEFAULT, then fill it in batches.",
        "rewrite",
    ),
    Rule(
        "add-column-serial-or-identity",
        ERROR,
        _AE,
        "each row gets a number: the table is written anew",
        "Add a nullable column, give it a sequence as default, then fill it in batches.",
        "rewrite",
    ),
    Rule(
        "add-column-stored-generated",
        ERROR,
        _AE,
        "the table is written anew",
        "Add a plain column, keep it by a trigger, fill it in batches; from PostgreSQL 18 VIRTUAL is safe.",
        "rewrite",
        since=12,
    ),
    Rule(
        "add-column-required",
        ERROR,
        _AE,
        "it fails on a table with rows, and inserts of the old application fail",
        "Give it a constant default, or add it nullable, fill it, and see set-not-null-scan.",
    ),
    Rule("add-column-json", WARNING, _AE, "json has no equality: DISTINCT and UNION break", "Use jsonb."),
    Rule(
        "add-column-references",
        ERROR,
        f"{_AE}, and {_SRE} on the referenced table",
        "both tables are locked and a foreign key is checked at once",
        "Add the bare column, then the foreign key NOT VALID, then VALIDATE it in another file.",
    ),
    Rule(
        "add-column-inline-constraint",
        ERROR,
        _AE,
        "the table is locked while an index is built or all rows are checked",
        "Add the column, CREATE UNIQUE INDEX CONCURRENTLY and USING INDEX; a CHECK as NOT VALID, then VALIDATE.",
        "scan",
    ),
    Rule(
        "add-column-constrained-domain",
        ERROR,
        _AE,
        "a domain with constraints has the table written anew, even with a constant default",
        "Use the base type, and a CHECK that is NOT VALID, then VALIDATE it.",
        "rewrite",
    ),
    Rule(
        "drop-column",
        ERROR,
        _AE,
        "its data is gone, and an application that names it breaks",
        "Have the application ignore it first; copy what is in it to a side table.",
    ),
    Rule(
        "rename-object",
        ERROR,
        _AE,
        "an application that uses the old name breaks",
        "Add the new name beside it and write both, or leave a view with the old name.",
    ),
    Rule(
        "retype-column-rewrite",
        ERROR,
        _AE,
        "the table and its indexes are written anew or checked row by row",
        "Add a column of the new type, keep it by a trigger, fill it in batches, then exchange the two.",
        "rewrite",
    ),
    Rule("retype-column-safe", INFO, _AE, "nothing is written anew: the lock is brief", "Nothing to do."),
    Rule(
        "narrow-integer-key",
        WARNING,
        "",
        "a key of 32 or 16 bits runs full, and widening it later rewrites the table",
        "Use bigint.",
    ),
    Rule(
        "set-not-null-scan",
        ERROR,
        _AE,
        "all rows are read under the lock",
        "ADD CHECK (column IS NOT NULL) NOT VALID, VALIDATE it in another file, SET NOT NULL, drop the CHECK.",
        "scan",
        rewrite_since=12,
    ),
    Rule("drop-not-null", WARNING, _AE, "clients meet NULL where there was none", "Announce it to whoever reads it."),
    Rule("change-default", INFO, _AE, "clients meet other values than before", "Announce it to whoever reads it."),
    Rule(
        "add-check-validated",
        ERROR,
        _AE,
        "all rows are read under the lock",
        "Add it NOT VALID, then VALIDATE CONSTRAINT in another file.",
        "scan",
    ),
    Rule(
        "validate-same-transaction",
        ERROR,
        _AE,
        "the lock that added the constraint is kept while all rows are read",
        "VALIDATE CONSTRAINT in a file after the one that adds it.",
        "scan",
    ),
    Rule(
        "add-foreign-key-validated",
        ERROR,
        f"{_SRE} on both tables",
        "writes of both tables stop while all rows are checked",
        "Add it NOT VALID, then VALIDATE CONSTRAINT in another file.",
        "scan",
    ),
    Rule(
        "several-foreign-keys",
        WARNING,
        f"{_SRE} on each table",
        "locks of several tables at once: deadlocks with the application",
        "One foreign key in each file.",
    ),
    Rule(
        "foreign-key-without-index",
        WARNING,
        "",
        "each delete or change of key in the referenced table reads the whole referencing table",
        "CREATE INDEX CONCURRENTLY on the referencing columns first.",
    ),
    Rule(
        "drop-referencing-table",
        ERROR,
        f"{_AE}, also on the referenced table",
        "queries of the referenced table wait as well",
        "Drop the foreign key alone first, in a file of its own, under a short lock_timeout.",
    ),
    Rule(
        "add-unique-or-primary-key",
        ERROR,
        _AE,
        "nobody can read or write until the index is built",
        "CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT ... USING INDEX.",
        "build",
    ),
    Rule(
        "primary-key-on-nullable",
        ERROR,
        _AE,
        "the columns are nullable: SET NOT NULL comes with it and reads all rows",
        "First make the columns NOT NULL as set-not-null-scan says.",
        "scan",
    ),
    Rule(
        "add-exclusion",
        ERROR,
        _AE,
        "nobody can read or write until the index is built; NOT VALID is not possible",
        "Make a new table with the constraint, and move the rows.",
        "build",
    ),
    Rule(
        "constraint-broken-by-data",
        ERROR,
        "",
        "there are rows that break it: the migration fails midway",
        "Put the rows right in an earlier file.",
    ),
    Rule(
        "drop-constraint",
        WARNING,
        _AE,
        "nothing keeps the data right any more",
        "Check in the application or by an assert script what the constraint did.",
    ),
    Rule(
        "alter-domain-add-constraint",
        ERROR,
        f"{_SHARE} on every table that uses it",
        "all of these tables are read",
        "ADD CONSTRAINT ... NOT VALID, then VALIDATE CONSTRAINT in another file.",
        "scan",
    ),
    Rule("create-enum", INFO, "", "values of an enum cannot be removed", "Use a lookup table."),
    Rule(
        "enum-value-used-early",
        ERROR,
        "",
        "the server refuses a new enum value in the transaction that added it",
        "Use the value in the next file.",
    ),
    Rule(
        "truncate",
        ERROR,
        f"{_AE}; with CASCADE also on all tables that reference it",
        "the data is gone",
        "Delete in batches, under a condition.",
    ),
    Rule(
        "drop-object",
        ERROR,
        _AE,
        "its data is gone, or an application that uses it breaks",
        "Move it to another schema first, and drop it after some days without use.",
    ),
    Rule(
        "unbounded-dml",
        ERROR,
        "ROW EXCLUSIVE, and each row",
        "one long transaction: rows stay locked, the table bloats, replicas lag",
        "Go through the key in batches, each in a transaction of its own.",
        "rewrite",
    ),
    Rule(
        "statement-after-exclusive-lock",
        WARNING,
        _AE,
        "the lock of an earlier statement of this file is kept while rows are read or written",
        "Put the statement into the next file.",
    ),
    Rule(
        "repeated-alter-table",
        WARNING,
        _AE,
        "the table is locked anew by each statement",
        "Put the actions into one ALTER TABLE.",
    ),
    Rule(
        "several-hot-tables",
        WARNING,
        _AE,
        "locks of several tables at once: deadlocks with the application",
        "One table in each file.",
    ),
    Rule(
        "no-lock-timeout",
        ERROR,
        "",
        "a statement that waits for a lock holds up all queries behind it",
        "Leave lock_timeout to the runner, which sets it for each step.",
    ),
    Rule(
        "no-statement-timeout",
        WARNING,
        "",
        "a statement or an idle transaction may keep its locks for ever",
        "Leave the timeouts to the runner.",
    ),
    Rule(
        "lock-table",
        WARNING,
        _AE,
        "without a mode it keeps out readers, and it waits for them",
        "Name the weakest mode that does, with NOWAIT.",
    ),
    Rule(
        "trigger-rule-policy-ddl",
        INFO,
        f"{_SRE} or {_AE}",
        "the lock is brief, but queries queue behind it",
        "Run it under a short lock_timeout, which the runner sets.",
    ),
    Rule(
        "storage-rewrite",
        ERROR,
        _AE,
        "the table is written anew or copied",
        "Make a table with the wanted storage, and move the rows in batches.",
        "rewrite",
    ),
    Rule(
        "refresh-matview-blocking",
        ERROR,
        _AE,
        "nobody can read the view until it is computed",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index.",
        "rewrite",
    ),
    Rule(
        "attach-partition-scan",
        ERROR,
        f"{_AE} on the partition",
        "all rows of the partition are read, and those of the default partition",
        "First give it a valid CHECK that matches the bounds.",
        "scan",
    ),
    Rule(
        "create-partition-of",
        WARNING,
        f"{_AE} on the parent",
        "queries of the whole partitioned table wait behind it",
        "CREATE TABLE ... (LIKE parent), then ATTACH PARTITION.",
    ),
    Rule(
        "detach-partition-blocking",
        ERROR,
        f"{_AE} on both tables",
        "queries of the whole partitioned table wait behind it",
        "DETACH PARTITION ... CONCURRENTLY in a file of its own.",
        rewrite_since=14,
    ),
    Rule(
        "replace-view-in-use",
        WARNING,
        f"{_AE} on the view",
        "queries of the view wait, or the server refuses what a view still needs",
        "Change first what depends on it, in the order of pg_depend.",
    ),
    Rule(
        "transaction-control-in-file",
        ERROR,
        "",
        "it ends the transaction of the runner, and with it the guarantee of all or nothing",
        "Remove it; directives at the top of the file say how it runs.",
    ),
    Rule(
        "needs-autocommit",
        ERROR,
        "",
        "the server refuses it inside a transaction",
        "Put it into a file of its own.",
    ),
    Rule(
        "opaque-code",
        WARNING,
        "",
        "no linter sees what the code inside will do",
        "Write the statements themselves, or allow it with the reason why it is safe.",
    ),
    Rule("privilege-change", WARNING, "", "who may do what is changed", "Have somebody review it."),
    Rule(
        "unknown-reach-alter", WARNING, "", "its effect goes beyond this database's tables", "Have somebody review it."
    ),
    Rule(
        "identifier-too-long", ERROR, "", "the server cuts it to 63 bytes, and two names may become one", "Shorten it."
    ),
    Rule("style-type", INFO, "", "the type has traps", "Use text, timestamptz, or GENERATED AS IDENTITY."),
    Rule("style-unqualified-name", INFO, "", "which schema it is depends on search_path", "Write the schema."),
    Rule("style-no-primary-key", INFO, "", "rows cannot be told apart, nor replicated logically", "Add a primary key."),
    Rule("style-naming", INFO, "", "it must be quoted for ever", "Use lower case, digits and underscores."),
    Rule("style-column-order", INFO, "", "padding between columns takes space in each row", "Put wide types first."),
    Rule("style-too-wide", INFO, "", "wide rows are slow to read and change", "Split the table."),
    Rule(
        "down-missing-or-destructive",
        WARNING,
        "",
        "there is no way back, or the way back destroys data",
        "Write the down script, or allow this rule with the reason why it cannot be taken back.",
    ),
)
RULES = {rule.id: rule for rule in _RULES}
