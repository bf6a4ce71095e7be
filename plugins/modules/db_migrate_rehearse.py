# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate_rehearse``: run pending migrations on a clone, and tell what they would do."""

from __future__ import annotations

DOCUMENTATION = r"""
module: db_migrate_rehearse
short_description: Run pending SQL migrations on a schema-only clone of a PostgreSQL database
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Makes a database beside the real one that has its schema and none of its rows, applies there what
    M(golive.cutover.db_migrate) would apply, and drops it again, whatever happens. Nothing is written to the real one.
  - Each file with a down script is applied, taken back, and applied again. A down script that does not bring the
    catalogue back, and a file that leaves something else the second time, fail the task with the lines that differ.
  - After each statement the server is asked what it has locked, what it has written anew, and what it has read. With
    the size of the real tables this says who would wait and for how long.
  - What fails on real rows only does not fail here. Verify scripts are not run.
options:
  path:
    description: Directory with the migration files.
    type: path
    required: true
  layout:
    description: How the files are named and made, as in M(golive.cutover.db_migrate).
    type: str
    choices: [native, flyway, goose, dbmate, golang_migrate, sqitch, alembic]
    default: native
  adopt:
    description: Take over the ledger of another tool on the clone, as in M(golive.cutover.db_migrate).
    type: bool
    default: false
  target:
    description: Version up to which files are applied, itself included. Without it all are.
    type: str
  phase:
    description: Apply only the files of one phase, as in M(golive.cutover.db_migrate).
    type: str
    choices: [expand, contract]
  out_of_order:
    description: Whether files that are older than what is applied may be applied now.
    type: bool
    default: false
  schema:
    description: Schema of the ledger.
    type: str
    default: golive
  table:
    description: Table of the ledger.
    type: str
    default: migrations
  search_path:
    description: Schemas in which the files' statements look for unqualified names, as in SQL.
    type: str
    default: public
  statement_timeout:
    description: Seconds a statement may take on the clone. V(0) sets no limit.
    type: float
    default: 300
  max_block:
    description:
      - Seconds that a statement may make others wait by the forecast. The task fails when one is above it. V(0) sets no
        limit.
    type: float
    default: 0
  programs:
    description:
      - Directory with the program C(pg_dump). Without it C(PATH) and the places where packages put it are searched
        for one of the server's major version, or else of the next newer one.
    type: path
  run_id:
    description: Id of the run; the name of the clone carries it.
    type: str
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
  - golive.cutover.in_cluster
attributes:
  check_mode:
    description: It makes and drops the clone in check mode, too, because the database itself stays as it is.
    support: full
    details:
      - When the Secret, Service or pod that leads to the database does not exist yet, nothing is rehearsed, with a
        warning. Without check mode that is an error.
      - Neither is anything with O(in_cluster), because check mode starts no Job.
  diff_mode:
    description: It shows what the pending files change in the catalogue.
    support: full
  idempotent:
    description: It changes nothing.
    support: full
notes:
  - The user needs the right to create databases (C(CREATEDB)). What belongs to other users, and extensions that only a
    superuser may create, are left out of the clone with a warning, or end the task when something needs them.
  - C(pg_dump) of the server's major version or a newer one must be installed where the task runs. It goes through
    O(tunnel) or O(in_cluster) like everything else, and takes the weakest lock (C(ACCESS SHARE)) on all tables for a
    moment.
  - Connect to PostgreSQL itself. A pooler mostly knows no database of the clone's name.
  - Roles, other databases, tablespaces, subscriptions and server settings are the whole server's. Files that change
    them are refused. What a function does that a file calls is not seen.
  - Passwords of foreign servers (C(USER MAPPING)) and subscriptions are not cloned, so that a file cannot reach
    another server from there.
  - Seconds are estimated from the table's size, as in M(golive.cutover.db_migrate_lint).
  - A clone that a killed run has left is dropped by the next one.
seealso:
  - module: golive.cutover.db_migrate
  - module: golive.cutover.db_migrate_lint
"""

EXAMPLES = r"""
- name: Rehearse what is pending for shop
  golive.cutover.db_migrate_rehearse:
    path: migrations
    postgresql:
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    tunnel:
      namespace: shop
      service: shop-postgres
    max_block: 2
  register: rehearsal

- name: Show who would wait
  ansible.builtin.debug:
    msg: "{{ item.file }}:{{ item.line }} keeps {{ item.blocks }} of {{ item.table }} for about {{ item.seconds }} s"
  loop: "{{ rehearsal.forecast | rejectattr('blocks', 'eq', 'nothing') }}"
"""

RETURN = r"""
pending:
  description: Versions that were rehearsed, in order.
  returned: success
  type: list
  elements: str
proved:
  description: Files that were applied, taken back, and applied again, with the same catalogue each time.
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
unproved:
  description: Files that were only applied.
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
    reason:
      description: Why it could not be taken back.
      type: str
forecast:
  description: What each statement locks and does, one row a table that is there already, in order.
  returned: success, and when O(max_block) is exceeded
  type: list
  elements: dict
  contains:
    file:
      description: Name of the file.
      type: str
    line:
      description: Line of the statement, counted from 1.
      type: int
    table:
      description: Table, with its schema when that is not V(public).
      type: str
    lock:
      description: Strongest lock on the table and its indexes, such as V(ACCESS EXCLUSIVE).
      type: str
    blocks:
      description: What others must wait with - V(reads and writes), V(writes) or V(nothing).
      type: str
    seconds:
      description:
        - Estimate of how long the lock is held, with what comes behind it in its transaction; None when the size is not
          known.
      type: float
    rewritten:
      description: Whether the table is written anew.
      type: bool
    scanned:
      description: Whether the table is read as a whole.
      type: bool
    indexes_built:
      description: Indexes that are built.
      type: int
    rows:
      description: Rows of the real table as the server estimates them.
      type: int
    size:
      description: Bytes of the real table without its indexes.
      type: int
    measured:
      description:
        - Whether the lock was seen. That of a statement that runs outside of transactions is gone when it is done, and
          is taken from PostgreSQL's documentation.
      type: bool
unmeasured:
  description:
    - Statements that run outside of transactions and of whose locks nothing is known, such as C(VACUUM) and C(CALL).
  returned: success, and when O(max_block) is exceeded
  type: list
  elements: dict
  contains:
    file:
      description: Name of the file.
      type: str
    line:
      description: Line of the statement, counted from 1.
      type: int
clone:
  description: Name that the clone had; None when nothing is pending.
  returned: success
  type: str
file:
  description: Name of the file that failed.
  returned: when a file is refused or fails
  type: str
line:
  description: Line of the statement or of the fault in it.
  returned: when a file is refused or fails
  type: int
catalogue_diff:
  description: All lines of the catalogue that differ, as a unified diff.
  returned: when a file cannot be taken back
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import LAYOUTS, NATIVE
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate import Wish
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rehearse import nothing_rehearsed, rehearse
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached, unasked
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
        "target": {"type": "str"},
        "phase": {"type": "str", "choices": ["expand", "contract"]},
        "out_of_order": {"type": "bool", "default": False},
        "schema": {"type": "str", "default": "golive"},
        "table": {"type": "str", "default": "migrations"},
        "search_path": {"type": "str", "default": "public"},
        "statement_timeout": {"type": "float", "default": 300},
        "max_block": {"type": "float", "default": 0},
        "programs": {"type": "path"},
        "run_id": {"type": "str"},
    },
    "mutually_exclusive": [["in_cluster", "tunnel"]],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    wish = Wish(
        path=params["path"],
        ledger=Ledger(params["schema"], params["table"]),
        layout=params["layout"],
        adopt=params["adopt"],
        target=params["target"],
        phase=params["phase"],
        out_of_order=params["out_of_order"],
        statement_timeout=params["statement_timeout"],
        search_path=params["search_path"],
        run_id=params["run_id"],
    )
    try:
        with reached(call) as reach:
            return reach.masked(rehearse(reach.call, reach.where, wish, params["max_block"], params["programs"]))
    except GoliveError as error:
        if not unasked(call, error):
            raise
        call.warn(f"Nothing is rehearsed, because the database cannot be asked now. {error.message}")
        return nothing_rehearsed(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
