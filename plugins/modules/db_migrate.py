# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate``: bring a PostgreSQL database to the newest of a directory's migrations."""

from __future__ import annotations

DOCUMENTATION = r"""
module: db_migrate
short_description: Apply the pending SQL migrations of a directory to a PostgreSQL database
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Applies plain SQL files in the order of their versions and records each of them in a ledger inside the database.
  - A file C(<digits>_<name>.sql) is a migration; the digits, a number or a timestamp, are its version. A file
    C(<digits>_<name>.down.sql) beside it takes it back; its text is stored in the ledger when the migration is
    applied, so that going back needs no old checkout. Other files that end in C(.sql) are an error, everything else is
    left alone.
  - A file C(<digits>_<name>.verify.sql) holds queries that run, only reading, after everything was applied; one that
    fails, or whose first column is false or NULL, fails the run. The ledger keeps whether they have held; the next run
    repeats those that have not, also when nothing is pending.
  - What can run in a transaction does, with its row in the ledger inside. Statements that the server refuses there
    (C(CREATE INDEX CONCURRENTLY), C(VACUUM)) are found and run alone; before each of them the ledger says that it
    begins, so that after a crash the next run finds out from the catalogue whether it is done, and goes on behind it.
    What such a statement leaves when it fails, an INVALID index, is removed.
  - All files are read and checked before anything is sent. A file that controls the transaction (C(BEGIN), C(COMMIT)),
    or that needs a stream of data (C(COPY FROM STDIN)) is refused with its line.
  - Waiting for a lock makes everybody wait who comes behind, so it is tried with a short limit that rises up to
    O(lock_timeout), with random pauses, for O(lock_wait) seconds; then the run fails and names who was in the way.
    Nothing limits the lock waits of C(CONCURRENTLY) and C(VALIDATE CONSTRAINT), which let others go on; before
    C(CONCURRENTLY) transactions older than O(old_transaction) are waited for, for as long.
  - Comments of a file tell the runner more. At its top C(-- golive:\ lock_timeout 10s), C(statement_timeout 30min),
    C(phase contract) (see O(phase)), C(kind autocommit) (every statement alone), C(kind tx) (fail when that cannot be);
    C(kind separate) (every statement in a transaction of its own);
    C(kind batch) with C(batch_table notes), and if need be C(batch_key id) and C(batch_size 1000), runs its one
    statement again and again for ranges of rows, put in where it says C(:range); size and pace follow the server, and a
    run that was killed goes on where it was. In a down script C(loss none), C(loss side_table) or C(loss restore_only)
    says what it cannot bring back. Above a statement C(check <query>) tells whether it has run, C(repeatable) that it
    may run twice; a statement that runs alone and leaves no trace in the catalogue needs one of them. An unknown
    directive is an error.
  - Checksums are of the text with line ends LF and without byte order mark, and of what its statements say; comments
    and layout may change. An applied file whose statements have changed is an error.
  - A file that is older than what is applied is an error, never skipped; give it a later version, allow it with
    O(out_of_order), or record it with O(baseline). An applied file that is gone, was renamed or
    has another down script is a warning, because a rollback of the application runs with the files of the older
    release.
  - Before anything is applied the server is looked at - old and prepared transactions, replication slots nobody reads,
    replicas behind, a vacuum that prevents wraparound on a table of the files, room for what is written anew, the age
    of transaction ids. What does not pass by itself is an error, the rest a warning. Some of it only roles with the
    rights of C(pg_monitor) see.
  - One run at a time migrates a database. A second one waits, polling an advisory lock that frees itself when its
    holder dies. A pooler in transaction mode is refused, because it breaks such locks.
  - With O(in_cluster) all of it runs as a Job, which gets the files of O(path) except hidden ones, the code of the
    collection and the connection in Secrets that go with it; the result is the same. When this task is killed, the Job
    goes on for O(in_cluster.timeout) at the most; the next run with the same options follows it, any other one waits
    for it as for every run at work.
options:
  path:
    description: Directory with the migration files.
    type: path
    required: true
  layout:
    description:
      - How the files are named and made. V(native) is the layout described above, the others are those of other tools.
      - V(flyway) reads C(V1.2__name.sql), C(U1.2__name.sql) that takes it back, and C(R__name.sql), which runs again
        behind all versions whenever its statements have changed, but not with O(target); directories in O(path) too.
        A file C(<script>.conf) may say C(executeInTransaction) and C(placeholderReplacement). Placeholders, C(B) files
        and callbacks are refused.
      - V(golang_migrate) reads C(<digits>_<name>.up.sql) and C(.down.sql). V(goose) and V(dbmate) read one file a
        version, cut by C(-- +goose Up) or C(-- migrate:up). C(NO TRANSACTION) and C(transaction:false) give every
        statement a transaction of its own, like C(kind separate).
      - V(sqitch) reads C(sqitch.plan) and the scripts in C(deploy), C(revert) and C(verify); the second change of a
        name is the version C(name#2). C(BEGIN) and C(COMMIT) around a whole script are left out, here and in
        V(golang_migrate).
      - V(alembic) runs the program C(alembic) where this task runs (C(upgrade --sql), C(downgrade --sql)) in O(path),
        which holds C(alembic.ini). That runs the project's C(env.py). Its own ledger is no longer written.
      - In these layouts a file that cannot run here is an error only when it would run.
    type: str
    choices: [native, flyway, goose, dbmate, golang_migrate, sqitch, alembic]
    default: native
  adopt:
    description:
      - Take over the ledger of another tool when that of this collection is empty. Files that it has applied are
        recorded with its name and its checksum of each, a row of kind C(baseline) records the takeover itself, and
        nothing runs again. The other ledger is only read. Without one nothing happens.
      - Checksums are compared with the files for Flyway, Sqitch, Atlas, sqlx and Prisma.
      - Of Rails, pgroll, reshape, Liquibase and Django the newest version is recorded; files are matched by their
        number where that says which is which.
      - Refused when there are several ledgers, when one says that a migration failed or did not end or that it is
        locked, when an applied version has no file, and when it is not clear whether a file is applied.
    type: bool
    default: false
  baseline:
    description:
      - Record all files up to this version that are not applied as applied, without running them, for a database that
        has what they do. Nothing is run then.
      - It also settles a single file that came late. Do not leave it in a playbook - it would settle the next one too.
    type: str
  target:
    description:
      - Version up to which files are applied, itself included. Without it all are.
      - A target below what is applied is no error and takes nothing back.
    type: str
  revert_to:
    description:
      - Take back everything behind this version, by the down scripts that were stored; V('') takes all back. Nothing
        is applied then.
      - Refused as a whole when a migration has no down script or has removed data.
    type: str
  phase:
    description:
      - Apply only the files of one phase. A file is of the phase V(expand) unless it says
        C(-- golive:\ phase contract), which belongs to what the running application must no longer need.
    type: str
    choices: [expand, contract]
  on_failure:
    description:
      - What happens to files that this run has applied, when a later one or a verification fails.
      - V(stop) leaves them. V(revert) takes all of them back, or none when one has no down script or has removed data.
    type: str
    choices: [stop, revert]
    default: stop
  restore_point:
    description: Name of the backup that was taken before this run, kept in the ledger and named when only it helps.
    type: str
  require_restore_point:
    description:
      - Whether files that remove or overwrite data, those with the loss V(restore_only) in RV(pending), are refused
        without O(restore_point) or O(waive_restore_point).
    type: bool
    default: false
  waive_restore_point:
    description: Why there is no backup before this run. The ledger keeps it in place of a name.
    type: str
  metrics_file:
    description:
      - File for the textfile collector of node_exporter, whose name must end in C(.prom). Every run writes it, also one
        that fails, with success, time, duration, applied, reverted and pending migrations, and lock waits.
      - It is no change of the database, so that it does not count as one. Its directory must exist.
    type: path
  schema:
    description: Schema of the ledger; created when it is missing.
    type: str
    default: golive
  table:
    description:
      - Table of the ledger. A second table of the same name with C(_runner) at its end shows a run at work, and a third
        one with C(_catalogue) keeps what the last run has left of the catalogue, so that other changes show.
    type: str
    default: migrations
  search_path:
    description: Schemas in which the files' statements look for unqualified names, as in SQL.
    type: str
    default: public
  lock_timeout:
    description:
      - Seconds a statement may wait for a lock at the longest. While it waits, others queue behind it, so keep it
        short.
      - V(0) waits for ever, in one try.
    type: float
    default: 3
  lock_wait:
    description: Seconds to go on trying to get a lock, or waiting for old transactions.
    type: float
    default: 120
  cancel_roles:
    description:
      - Database roles whose sessions may be disturbed when they are in the way of a lock. What such a session does is
        cancelled, or it is ended when it sits idle in a transaction.
    type: list
    elements: str
    default: []
  old_transaction:
    description:
      - Age in seconds from which a transaction keeps a concurrent index build from beginning, and is a warning before a
        run.
    type: float
    default: 60
  replica_lag:
    description: Seconds that a replica may be behind. More is a warning before a run, and makes batches pause.
    type: float
    default: 10
  wal_rate:
    description:
      - WAL that the server may write in a second while batches run, on an average of ten seconds and counting what all
        others write, such as V(20M). More makes batches pause. Without it there is no limit.
    type: bytes
  disk_free:
    description:
      - Bytes free on the volume of the database, such as V(40G). The server does not tell them; where O(tunnel) leads
        to its pod, they are asked for there (C(df), with the right to C(pods/exec)).
      - A file that needs more for writing a table anew or building an index is refused. Where the bytes are not known,
        the need is only told.
    type: bytes
  preflight_ignore:
    description:
      - Looks before a run whose findings shall be a warning at most. Of themselves
        V(prepared_transaction) is an error when it holds locks on a table of the files, V(disk) when there is less room
        than O(disk_free) says, and V(xid_age) when the server is about to stop. The others never are, because the run
        waits for them by itself.
    type: list
    elements: str
    choices:
      - old_transaction
      - prepared_transaction
      - inactive_slot
      - replica_lag
      - wraparound_vacuum
      - disk
      - xid_age
      - not_visible
    default: []
  statement_timeout:
    description: Seconds a statement may take. V(0) sets no limit.
    type: float
    default: 300
  wait:
    description: Seconds to wait for another run that migrates the same database.
    type: float
    default: 60
  out_of_order:
    description: Whether files that are older than what is applied may be applied now.
    type: bool
    default: false
  run_id:
    description: Id of the run, kept in the ledger and shown as application name of the sessions.
    type: str
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
  - golive.cutover.in_cluster
attributes:
  check_mode:
    description: Reads the ledger in a read-only session and returns what would be applied.
    support: full
    details:
      - With C(--diff) it applies the files on a clone that M(golive.cutover.db_migrate_rehearse) describes, and drops
        that again. Without C(--diff) nothing is created anywhere.
      - When the Secret, Service or pod that leads to the database does not exist yet, all files are planned, with a
        warning. Without check mode that is an error.
      - With O(in_cluster) no Job is started, so that nothing is known of the database and all files are planned, with a
        warning; the server judges the Job.
  diff_mode:
    description: Shows the SQL text of every file that is applied, and the catalogue before and after.
    support: full
    details:
      - In check mode the catalogue is that of a clone. Where none can be had, as for a user who may not create
        databases, a warning says why, and only the SQL is shown. With O(in_cluster) check mode shows none.
      - Keep secrets out of migrations.
  idempotent:
    description: Without pending files it writes nothing.
    support: full
seealso:
  - module: golive.cutover.db_migrate_info
  - module: golive.cutover.db_migrate_rehearse
"""

EXAMPLES = r"""
- name: Migrate the database of shop through its Service
  golive.cutover.db_migrate:
    path: "{{ playbook_dir }}/../migrations"
    postgresql:
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    tunnel:
      namespace: shop
      service: shop-postgres

- name: Migrate an external database up to a version
  golive.cutover.db_migrate:
    path: migrations
    target: "0007"
    postgresql:
      host: db.example.org
      database: shop
      user: shop
      password: "{{ vault_shop_password }}"
      sslmode: verify-full
      sslrootcert: /etc/ssl/certs/company.pem

- name: Go on where Flyway has stopped
  golive.cutover.db_migrate:
    path: src/main/resources/db/migration
    layout: flyway
    adopt: true
    postgresql:
      host: db.example.org
      database: shop
      user: shop
      password: "{{ vault_shop_password }}"

- name: Migrate a database that only the cluster reaches
  golive.cutover.db_migrate:
    path: migrations
    postgresql:
      host: postgres.internal
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    in_cluster:
      namespace: shop
      image: registry.example.org/python-psycopg2:3.13

- name: Tell that the database has everything up to a version
  golive.cutover.db_migrate:
    path: migrations
    baseline: "0012"
    postgresql:
      host: db.example.org
      database: shop
      user: shop
      password: "{{ vault_shop_password }}"
"""

RETURN = r"""
recorded:
  description: Files that were recorded as applied without running, in order; in check mode what a run would record.
  returned: success
  type: list
  elements: dict
  contains:
    version:
      description: Version as it is written in the file's name.
      type: str
    name:
      description: Name as it is written in the file's name.
      type: str
    origin:
      description: Tool that has applied it, or V(baseline).
      type: str
preflight:
  description: What was seen before anything was applied that speaks against it.
  returned: always, on failure only when it is the reason
  type: list
  elements: dict
  contains:
    id:
      description: Name of the look.
      type: str
    severity:
      description: V(error), V(warning) or V(info).
      type: str
    where:
      description: What it is about, such as a session, a table or a replication slot.
      type: str
    message:
      description: What was seen.
      type: str
    hint:
      description: What to do.
      type: str
applied:
  description: Files that this run has applied, in order. On failure those before the failing one.
  returned: always, on failure only after the first file was begun
  type: list
  elements: dict
  contains:
    version:
      description: Version as it is written in the file's name.
      type: str
    name:
      description: Name as it is written in the file's name.
      type: str
    seconds:
      description: How long it took.
      type: float
reverted:
  description: Migrations that this run has taken back, in order.
  returned: always, on failure only after something was applied
  type: list
  elements: dict
  contains:
    version:
      description: Version as it is written in the file's name.
      type: str
    name:
      description: Name as it is written in the file's name.
      type: str
pending:
  description:
    - Files that are not applied, in order; in check mode what a run would apply. What lies beyond O(target) is among
      them.
  returned: success
  type: list
  elements: dict
  contains:
    version:
      description: Version as it is written in the file's name.
      type: str
    name:
      description: Name as it is written in the file's name.
      type: str
    file:
      description: Name of the file.
      type: str
    kind:
      description: V(tx), V(autocommit) or V(batch).
      type: str
    phase:
      description: V(expand) or V(contract).
      type: str
    reversible:
      description: Whether it has a down script.
      type: bool
    loss:
      description: What going back cannot bring, as V(none), V(side_table) or V(restore_only).
      type: str
    later:
      description: Whether it is beyond O(target), or of another phase than O(phase).
      type: bool
unverified:
  description: Applied files whose verify script has not held yet; in check mode those that a run would verify.
  returned: success
  type: list
  elements: dict
  contains:
    version:
      description: Version as it is written in the file's name.
      type: str
    name:
      description: Name as it is written in the file's name.
      type: str
restore_points_needed:
  description: Names of the backups without which the data that applied files have removed cannot come back.
  returned: success
  type: list
  elements: str
locks:
  description: What locks of others have cost, with C(lock_retries) and C(lock_wait_seconds).
  returned: success
  type: dict
  sample: {lock_retries: 2, lock_wait_seconds: 0.31}
head:
  description: Newest applied version; None when nothing is applied.
  returned: success
  type: str
  sample: "0002"
previous_head:
  description: Newest applied version before this run.
  returned: success
  type: str
catalogue_drift:
  description:
    - Lines of the catalogue that had changed without a migration when this run began; None when that is not known.
  returned: success
  type: int
ledger:
  description: Schema and table of the ledger.
  returned: success
  type: str
  sample: golive.migrations
file:
  description: Name of the file that failed.
  returned: when a file is refused or fails
  type: str
line:
  description: Line of the statement or of the fault in it; None when a transaction failed at its end.
  returned: when a file is refused or fails
  type: int
column:
  description: Column in that line, counted from 1; None when the server did not name a place.
  returned: when a statement fails
  type: int
blockers:
  description: Sessions that were in the way, with C(pid), C(user), C(application_name), C(state), C(age_s), C(query).
  returned: when a lock was not to be had
  type: list
  elements: dict
sqlstate:
  description: SQLSTATE of the server's error; None when the connection broke.
  returned: when a statement fails
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import LAYOUTS, NATIVE
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate_verb import migrate_directly
from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight import IDS
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_spec import in_cluster_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        **in_cluster_spec(),
        "path": {"type": "path", "required": True},
        "layout": {"type": "str", "choices": list(LAYOUTS), "default": NATIVE},
        "adopt": {"type": "bool", "default": False},
        "baseline": {"type": "str"},
        "target": {"type": "str"},
        "revert_to": {"type": "str"},
        "phase": {"type": "str", "choices": ["expand", "contract"]},
        "on_failure": {"type": "str", "choices": ["stop", "revert"], "default": "stop"},
        "restore_point": {"type": "str"},
        "require_restore_point": {"type": "bool", "default": False},
        "waive_restore_point": {"type": "str"},
        "metrics_file": {"type": "path"},
        "schema": {"type": "str", "default": "golive"},
        "table": {"type": "str", "default": "migrations"},
        "search_path": {"type": "str", "default": "public"},
        "lock_timeout": {"type": "float", "default": 3},
        "lock_wait": {"type": "float", "default": 120},
        "cancel_roles": {"type": "list", "elements": "str", "default": []},
        "old_transaction": {"type": "float", "default": 60},
        "replica_lag": {"type": "float", "default": 10},
        "wal_rate": {"type": "bytes"},
        "disk_free": {"type": "bytes"},
        "preflight_ignore": {"type": "list", "elements": "str", "choices": list(IDS), "default": []},
        "statement_timeout": {"type": "float", "default": 300},
        "wait": {"type": "float", "default": 60},
        "out_of_order": {"type": "bool", "default": False},
        "run_id": {"type": "str"},
    },
    "mutually_exclusive": [
        ["target", "revert_to", "baseline"],
        ["phase", "revert_to", "baseline"],
        ["restore_point", "waive_restore_point"],
        ["in_cluster", "tunnel"],
    ],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    if not call.params["in_cluster"]:
        return migrate_directly(call)
    # Late: the library of Kubernetes takes longer to import than a run without a cluster takes in all.
    from ansible_collections.golive.cutover.plugins.module_utils._migrate.job import migrate_by_job

    return migrate_by_job(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
