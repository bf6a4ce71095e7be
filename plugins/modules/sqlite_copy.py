# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``sqlite_copy``: carry a SQLite file over to PostgreSQL, with proof."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sqlite_copy
short_description: Carry a SQLite file over to PostgreSQL and prove every byte
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Copies the tables of a SQLite file into a PostgreSQL database. A snapshot of the file is checked page by page, every
    value is looked at before a row is sent, and what does not fit is refused by table, column, number of values and an
    example; nothing is cut, rounded or left out unless a policy in O(columns) says so.
  - SQLite keeps a type with each value, and none with a column. A column's type comes from what its values are; the
    declared type is a hint that texts may be dates, truth values, UUIDs or JSON. In a table that exists already, its
    own types decide.
  - Tables that are missing are made without keys. Several processes send chunks of rows, each in one transaction with
    its record in C(golive.sqlite_chunks). Then come primary keys, unique keys, indexes, foreign keys and sequences.
  - At the end every byte is read back from the server and compared with what was sent, by SHA-256, and values are
    counted, bounded and summed up on both sides. The task fails on any difference.
  - A run that was killed, at any place, is gone on with by the next one with the same options and snapshot. No
    chunk is sent twice.
options:
  path:
    description:
      - The SQLite file. It is only read, and may be in use; what is written later is not in the snapshot.
      - With O(in_cluster) its path within the claim.
    type: path
    required: true
  work_dir:
    description:
      - Directory for the snapshot, which is as large as the file. It stays there until the copy is proved. Without it
        the file's own directory is taken. With O(in_cluster) it lies within the claim.
    type: path
  schema:
    description: Schema of PostgreSQL that the tables are in, or are made in.
    type: str
    default: public
  tables:
    description: Only these tables of the file. Without it all are copied.
    type: list
    elements: str
    default: []
  exclude:
    description: Tables of the file that are left out.
    type: list
    elements: str
    default: []
  columns:
    description: Policies for columns whose values do not fit by themselves.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The column, as C(table.column).
        type: str
        required: true
      type:
        description:
          - Type that the column gets in a table that is made. V(text) takes numbers by their shortest text, V(bytea)
            takes texts as bytes, V(numeric) takes reals by their shortest text.
        type: str
        choices: [bigint, double precision, boolean, text, bytea, date, timestamp, timestamptz, uuid, jsonb, numeric]
      precision:
        description: Digits of V(numeric). Without it there is no limit.
        type: int
      scale:
        description: Decimals of V(numeric) with a O(columns[].precision). What is rounded is counted.
        type: int
      unit:
        description: What numbers mean in a column of times - seconds or milliseconds since 1970, or Julian days.
        type: str
        choices: [s, ms, julian]
      naive:
        description: Whether texts without a zone are times in UTC, in a column of type V(timestamptz).
        type: str
        choices: [fail, utc]
        default: fail
      nul:
        description: What becomes of a NUL in a text, which PostgreSQL has no place for.
        type: str
        choices: [fail, strip, replace]
        default: fail
      encoding:
        description: What becomes of bytes in a text that are not UTF-8. V(replace) puts U+FFFD in their place.
        type: str
        choices: [fail, replace]
        default: fail
      invalid:
        description: What becomes of values that the type does not take. V(null) counts them.
        type: str
        choices: [fail, "null"]
        default: fail
      nocase:
        description:
          - What becomes of an index with the collation C(NOCASE). V(lower) makes one on the column in small letters,
            V(review) only names it.
        type: str
        choices: [review, lower]
        default: review
  append:
    description: Tables that may hold rows already. Their keys must be beyond those that are copied.
    type: list
    elements: str
    default: []
  replace:
    description: Tables whose rows are removed first. A copy of them that is not finished is given up.
    type: list
    elements: str
    default: []
  catch_up:
    description:
      - Whether a source that has changed since it was copied is carried over again. Only chunks whose rows are others
        are sent, their old rows are deleted first, and all is proved again. What was written to the target's tables by
        others is overwritten or found by the proof. Only for tables that the copy has made.
    type: bool
    default: false
  refresh:
    description:
      - Whether tables of an earlier copy of this file are copied again in full, whatever the options of that one were.
        It is refused when somebody else has written to them since, which is known of copies with this option or
        O(freeze).
    type: bool
    default: false
  freeze:
    description:
      - Whether the file takes no writes from its snapshot on. Triggers on its tables refuse them, with an error that
        begins with C(golive:), to all who have it open. What was written before is in the copy, what comes later fails
        where it is written, and reads go on. It needs the right to write the file.
      - When the copy fails, the file takes writes again. When it is done, or killed, the file stays as it is until
        M(golive.cutover.sqlite_thaw) is asked. A file that is frozen and copied is not copied again.
      - Who switches triggers off in their connection, or makes tables and fills them, is not held back. New tables are
        found and refused by the next run.
    type: bool
    default: false
  orphans:
    description: What happens when rows point to no row. V(keep) copies them, and leaves the foreign key not validated.
    type: str
    choices: [fail, keep]
    default: fail
  processes:
    description: Processes that work side by side. Without it as many as there are processors, up to 4.
    type: int
  chunk_rows:
    description: Rows that one transaction sends, about.
    type: int
    default: 50000
  wait:
    description: Seconds to wait for another copy into the same database.
    type: float
    default: 0
  in_cluster:
    description:
      - Run as a Kubernetes Job, for a file in a PersistentVolumeClaim. The Job mounts the claim, gets the collection's
        code and the connection in Secrets that go with it, and reaches the database from there; the result is the same.
      - It runs on the node of the pod that has the claim, with that pod's user and groups, so that it may read what the
        app has written.
      - The Job is deleted at its end, also when this task is cancelled. When this task is killed, it goes on for
        O(in_cluster.timeout) at the most; the next run with the same options follows it and copies then what
        was written since, any other one waits for it as O(wait) says.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the claim and the Job, and of O(postgresql.password_secret) when that names none.
        type: str
        required: true
      claim:
        description: Name of the claim.
        type: str
        required: true
      image:
        description: Image with Python 3.10 or newer as C(python3), its module C(sqlite3), and psycopg2.
        type: str
        required: true
      user:
        description: Id of the user that reads the file. Without it that of the pod that has the claim, or 65532.
        type: int
      timeout:
        description: Seconds the Job may take.
        type: float
        default: 3600
      labels:
        description: More labels of its pod, such as those that a network policy asks for.
        type: dict
        default: {}
      pull_secrets:
        description: Names of Secrets to pull the image with.
        type: list
        elements: str
        default: []
      resources:
        description: Requests and limits of its container.
        type: dict
        default: {}
  report:
    description: File for the result as JSON, readable by its owner alone.
    type: path
  run_id:
    description: Id of the run, for the record.
    type: str
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: The snapshot is taken, looked at and removed, and what stands against the copy is told as without it.
    support: full
    details:
      - With O(in_cluster) no Job is started, so that nothing is known of the file, and V(planned) is returned without
        tables and with a warning; the server judges the Job.
  diff_mode:
    description: It shows the tables with their types.
    support: full
  idempotent:
    description: A copy that is proved is not made again while its file stays as it is, unless O(replace) asks for it.
    support: full
notes:
  - Not copied, and named in RV(review), are views, triggers, virtual tables, generated columns, checks, and defaults
    and indexes with expressions of SQLite's.
  - Triggers of tables that exist fire. What they change is found by the proof.
  - SQLite 3.37 or newer is needed where the task runs.
seealso:
  - module: golive.cutover.sqlite_thaw
  - module: golive.cutover.db_migrate
"""

EXAMPLES = r"""
- name: Show what would become of the file
  golive.cutover.sqlite_copy:
    path: /srv/shop/shop.db
    postgresql:
      database: shop
      user: shop
  check_mode: true
  register: plan

- name: Carry it over
  golive.cutover.sqlite_copy:
    path: /srv/shop/shop.db
    columns:
      - name: orders.created_at
        type: timestamptz
        naive: utc
      - name: products.price
        type: numeric
        precision: 10
        scale: 2
    report: /srv/shop/copy.json
    postgresql:
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    tunnel:
      namespace: shop
      service: shop-postgres

- name: Carry over a file that the app has in a claim of the cluster
  golive.cutover.sqlite_copy:
    path: shop.db
    postgresql:
      host: shop-postgres.shop.svc
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    in_cluster:
      namespace: shop
      claim: shop-data
      image: registry.example.org/python-psycopg2:3.13
"""

RETURN = r"""
state:
  description: V(planned) in check mode, V(copied), or V(present) when it was copied before.
  returned: success
  type: str
tables:
  description: The tables, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the table.
      type: str
    made:
      description: Whether it was not there before.
      type: bool
    rows:
      description: Its rows.
      type: int
    bytes:
      description: Bytes that were sent; V(0) in check mode.
      type: int
    chunks:
      description: How many parts it was sent in.
      type: int
    proof:
      description: V(in order) when rows are compared by their key, V(in any order) when by the sum of their digests.
      type: str
    digests:
      description: SHA-256 of each part.
      type: list
      elements: str
    altered:
      description: How many values a policy has changed, by column and what was done.
      type: dict
    columns:
      description: Its columns with C(name), C(declared), C(type), and C(present) values that are not null.
      type: list
      elements: dict
rows:
  description: Rows of all tables.
  returned: success
  type: int
bytes:
  description: Bytes that were sent; V(0) in check mode.
  returned: success
  type: int
seconds:
  description: How long it took, proof included.
  returned: success
  type: float
resumed:
  description: Rows that an earlier run had sent already.
  returned: success
  type: int
snapshot:
  description: C(sha256) and C(bytes) of the snapshot.
  returned: success
  type: dict
frozen:
  description: Id of the freeze that the file is under; empty while it takes writes.
  returned: success
  type: str
notices:
  description: What the user should know of the values, as in RV(refused).
  returned: success
  type: list
  elements: dict
review:
  description: What is not copied, with C(kind), C(name), C(reason) and its C(sql).
  returned: success
  type: list
  elements: dict
refused:
  description: What stands against the copy.
  returned: when values do not fit
  type: list
  elements: dict
  contains:
    code:
      description: What it is, such as V(mixed), V(form), V(text_nul) or V(fk_orphans).
      type: str
    table:
      description: Name of the table.
      type: str
    column:
      description: Name of the column, if it is about one.
      type: str
    count:
      description: How many values.
      type: int
    example:
      description: Key of one of them.
      type: str
    policy:
      description: What would accept them.
      type: str
    text:
      description: All of it in words.
      type: str
faults:
  description: What the proof has found.
  returned: when the copy is not what was sent
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_spec import in_cluster_option
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.columns import TYPES, UNITS
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.verb import copy_directly

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "path": {"type": "path", "required": True},
        "work_dir": {"type": "path"},
        "schema": {"type": "str", "default": "public"},
        "tables": {"type": "list", "elements": "str", "default": []},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "columns": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "type": {"type": "str", "choices": list(TYPES)},
                "precision": {"type": "int"},
                "scale": {"type": "int"},
                "unit": {"type": "str", "choices": list(UNITS)},
                "naive": {"type": "str", "choices": ["fail", "utc"], "default": "fail"},
                "nul": {"type": "str", "choices": ["fail", "strip", "replace"], "default": "fail"},
                "encoding": {"type": "str", "choices": ["fail", "replace"], "default": "fail"},
                "invalid": {"type": "str", "choices": ["fail", "null"], "default": "fail"},
                "nocase": {"type": "str", "choices": ["review", "lower"], "default": "review"},
            },
        },
        "append": {"type": "list", "elements": "str", "default": []},
        "replace": {"type": "list", "elements": "str", "default": []},
        "catch_up": {"type": "bool", "default": False},
        "refresh": {"type": "bool", "default": False},
        "freeze": {"type": "bool", "default": False},
        "orphans": {"type": "str", "choices": ["fail", "keep"], "default": "fail"},
        "processes": {"type": "int"},
        "chunk_rows": {"type": "int", "default": 50000},
        "wait": {"type": "float", "default": 0},
        "in_cluster": in_cluster_option({"claim": {"type": "str", "required": True}, "user": {"type": "int"}}),
        "report": {"type": "path"},
        "run_id": {"type": "str"},
    },
    "mutually_exclusive": [["in_cluster", "tunnel"]],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    if not call.params["in_cluster"]:
        return copy_directly(call)
    # Late: the library of Kubernetes takes longer to import than a run without a cluster takes in all.
    from ansible_collections.golive.cutover.plugins.module_utils._sqlite.job import copy_by_job

    return copy_by_job(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
