# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find SQL migrations that would block an application, lose data or fail midway."""

from __future__ import annotations

DOCUMENTATION = r"""
module: db_migrate_lint
short_description: Find SQL migrations that would block an application, lose data or fail midway
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Reads the migration files of a directory, statement after statement, and tells what each unsafe one locks, why that
    hurts, and what to write instead. It runs none of them.
  - Without a database only the files speak. With one, the size of tables, valid constraints, indexes, old transactions
    and views that depend on a table count as well, read in a read-only session.
  - A table that is made by the same files is new, and a table without rows is empty. Nothing is found on these.
  - A comment C(-- golive:) V(allow <rule>:) and a reason right above a statement allows the rule for it, and at the top
    of the file, with an empty line below, for the whole file.
  - Where the program C(squawk) is installed (Python package C(squawk-cli)), what only it sees is found as well.
options:
  path:
    description: Directory with the migration files, or one file.
    type: path
    required: true
  layout:
    description: How the files are named and made, as in M(golive.cutover.db_migrate).
    type: str
    choices: [native, flyway, goose, dbmate, golang_migrate, sqitch, alembic]
    default: native
  head:
    description:
      - Newest version that is applied already. Files up to it only tell what there is.
      - Without it, and without a database, all files count as not applied.
    type: str
  pending_only:
    description: With a database, lint only files that its ledger does not have.
    type: bool
    default: true
  schema:
    description: Schema of the ledger.
    type: str
    default: golive
  table:
    description: Table of the ledger.
    type: str
    default: migrations
  server_version:
    description: Major version of the server that the files are for, where no database tells it.
    type: int
  fail_on:
    description: The least severity that fails the task.
    type: str
    choices: [error, warning, never]
    default: error
  style:
    description: Whether to find matters of style, too; they never fail the task.
    type: bool
    default: false
  rewrite:
    description:
      - Write files anew where a rule has a safe form that ends in the same schema. They are C(create-index-blocking),
        C(drop-index-blocking), C(add-column-serial-or-identity), C(set-not-null-scan), C(add-check-validated),
        C(add-foreign-key-validated) and C(add-unique-or-primary-key).
      - It needs O(head) or a database, because files that are applied never change. The findings are those that the new
        files have.
    type: bool
    default: false
  second_opinion:
    description: Whether to ask C(squawk) where it is installed.
    type: bool
    default: true
  sarif:
    description: File for the findings in SARIF 2.1.0. It is written even when the task fails.
    type: path
  junit:
    description: File for the findings as a JUnit report with one case for each file, written even when the task fails.
    type: path
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: It tells whether files and reports would change, and writes none of them.
    support: full
  diff_mode:
    description: It shows files and reports before and after.
    support: full
  idempotent:
    description: The same findings give the same reports.
    support: full
notes:
  - A database is looked at when O(postgresql) or O(tunnel) says where it is; the environment alone is no reason.
  - Seconds are estimated from the table's size, at 100 MB a second for reading it, and 25 MB a second for building an
    index or writing the table anew.
seealso:
  - module: golive.cutover.db_migrate
  - module: golive.cutover.db_migrate_info
"""

EXAMPLES = r"""
- name: Refuse unsafe migrations in CI, without a database
  golive.cutover.db_migrate_lint:
    path: migrations
    head: "0041"
    sarif: lint.sarif
    junit: lint.xml

- name: Look at what is pending for shop against its database
  golive.cutover.db_migrate_lint:
    path: migrations
    fail_on: never
    postgresql:
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    tunnel:
      namespace: shop
      service: shop-postgres
  register: lint

- name: Show what would block for long
  ansible.builtin.debug:
    msg: "{{ item.file }}:{{ item.line }} holds {{ item.table }} for about {{ item.seconds }} s"
  loop: "{{ lint.findings | selectattr('seconds') }}"
"""

RETURN = r"""
findings:
  description: What was found, in the order of files and lines; also on failure with the code V(lint_failed).
  returned: when the files could be read
  type: list
  elements: dict
  contains:
    id:
      description: Id of the rule, such as V(create-index-blocking). Ids never change their meaning.
      type: str
    severity:
      description: One of V(error), V(warning), V(info).
      type: str
    file:
      description: Name of the file.
      type: str
    line:
      description: Line of the statement, counted from 1.
      type: int
    message:
      description: What happens, and on what.
      type: str
    rewrite:
      description: What to write instead.
      type: str
    lock:
      description: Lock that it takes; empty when the lock is not the harm.
      type: str
    table:
      description: Table it is about; None when it is about none.
      type: str
    rows:
      description: Rows of the table as the server estimates them; None without a database.
      type: int
    size:
      description: Bytes of the table without its indexes; None without a database.
      type: int
    seconds:
      description: Estimate of how long the lock is held; None when it is brief or not known.
      type: float
    source:
      description: V(golive), or V(squawk) for what only the second opinion saw.
      type: str
counts:
  description: Number of findings of each severity.
  returned: when the files could be read
  type: dict
  sample: {error: 1, warning: 0, info: 2}
files:
  description: Names of the files that were linted, in order.
  returned: when the files could be read
  type: list
  elements: str
rewritten:
  description: Names of the files that were written anew or made for it.
  returned: when the files could be read
  type: list
  elements: str
server_version:
  description: Major version of the server the files were judged for; None when it is not known.
  returned: when the files could be read
  type: int
second_opinion:
  description: Whether C(squawk) was asked.
  returned: when the files could be read
  type: bool
code:
  description: Machine-readable code of the failure; V(lint_failed) when something was found.
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
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
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_verb import FAIL_ON, lint_verb
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "path": {"type": "path", "required": True},
        "layout": {"type": "str", "choices": list(LAYOUTS), "default": NATIVE},
        "head": {"type": "str"},
        "pending_only": {"type": "bool", "default": True},
        "schema": {"type": "str", "default": "golive"},
        "table": {"type": "str", "default": "migrations"},
        "server_version": {"type": "int"},
        "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "error"},
        "style": {"type": "bool", "default": False},
        "rewrite": {"type": "bool", "default": False},
        "second_opinion": {"type": "bool", "default": True},
        "sarif": {"type": "path"},
        "junit": {"type": "path"},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError, ``lint_failed`` with the findings as its details."""
    return lint_verb(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
