# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate_info``: what a database says of its migrations."""

from __future__ import annotations

DOCUMENTATION = r"""
module: db_migrate_info
short_description: Read which SQL migrations a PostgreSQL database has and lacks
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Reads the ledger of M(golive.cutover.db_migrate) in a read-only session and compares it with the files of a
    directory.
options:
  path:
    description: Directory with the migration files. Without it only the ledger is read.
    type: path
  layout:
    description: How the files are named and made, as in M(golive.cutover.db_migrate).
    type: str
    choices: [native, flyway, goose, dbmate, golang_migrate, sqitch, alembic]
    default: native
  target:
    description: Version up to which files count as pending, itself included. Without it all do.
    type: str
  disk_free:
    description: Bytes free on the volume of the database, such as V(40G), as in M(golive.cutover.db_migrate).
    type: bytes
  schema:
    description: Schema of the ledger.
    type: str
    default: golive
  table:
    description: Table of the ledger.
    type: str
    default: migrations
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
  - golive.cutover.in_cluster
attributes:
  check_mode:
    description: It only reads.
    support: full
    details:
      - With O(in_cluster) check mode asks nothing, so that all files count as pending, with a warning.
  diff_mode:
    description: It changes nothing, so there is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
seealso:
  - module: golive.cutover.db_migrate
  - module: golive.cutover.db_migrate_rehearse
  - module: golive.cutover.db_migrate_lint
"""

EXAMPLES = r"""
- name: Look at the migrations of shop
  golive.cutover.db_migrate_info:
    path: migrations
    postgresql:
      database: shop
      user: shop
      password_secret:
        name: shop-postgres
    tunnel:
      namespace: shop
      service: shop-postgres
  register: migrations

- name: Stop when a file was changed after it was applied
  ansible.builtin.assert:
    that: migrations.drift | selectattr('kind', 'eq', 'checksum_changed') | length == 0
"""

RETURN = r"""
ledger:
  description: Schema and table of the ledger.
  returned: always
  type: str
  sample: golive.migrations
ledger_exists:
  description: Whether the ledger is there.
  returned: always
  type: bool
head:
  description: Newest applied version; None when nothing is applied.
  returned: always
  type: str
applied:
  description: Rows of the ledger in the order of versions.
  returned: always
  type: list
  elements: dict
  contains:
    version:
      description: Version as it was written in the file's name.
      type: str
    name:
      description: Name as it was written in the file's name.
      type: str
    state:
      description: V(applied) when it is complete.
      type: str
    applied_at:
      description: Time in UTC.
      type: str
    applied_by:
      description: Role that applied it.
      type: str
    seconds:
      description: How long it took.
      type: float
    run_id:
      description: Id of the run.
      type: str
    reversible:
      description: Whether its down script is stored.
      type: bool
    verified:
      description:
        - Whether its verify script has held since it was applied; None when it has none, or was applied by an older
          version of this collection.
      type: bool
    checksum:
      description: SHA-256 of its text.
      type: str
    origin:
      description: Tool that has applied it, or V(baseline); None for what this collection has run.
      type: str
    origin_checksum:
      description: Checksum of the file that this tool has kept.
      type: str
pending:
  description: Files that are not applied, in order, up to O(target).
  returned: always
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
    reversible:
      description: Whether it has a down script.
      type: bool
    loss:
      description: What going back cannot bring, as V(none), V(side_table) or V(restore_only).
      type: str
changes:
  description: Changes that files declare with the directive C(change), in the order of their first files.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the change.
      type: str
    state:
      description:
        - V(planned), V(expanding), V(expanded) before its batches begin, V(backfilling), V(backfilled) when all that it
          adds is there and filled, V(contracting) or V(contracted).
      type: str
    files:
      description: Its files.
      type: list
      elements: str
    pending:
      description: Those that are not applied.
      type: list
      elements: str
unverified:
  description:
    - Applied migrations whose verify script has not held yet; the next run of M(golive.cutover.db_migrate) repeats it.
  returned: always
  type: list
  elements: dict
  contains:
    version:
      description: Version as it was written in the file's name.
      type: str
    name:
      description: Name as it was written in the file's name.
      type: str
drift:
  description: Differences between files and ledger.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description:
        - One of V(checksum_changed), V(out_of_order), V(missing_file), V(renamed), V(down_changed), V(unfinished).
      type: str
    version:
      description: Version it is about.
      type: str
    name:
      description: Name it is about.
      type: str
    detail:
      description: What differs.
      type: str
catalogue:
  description: Whether the catalogue is still what the last run has left, without what belongs to the ledger.
  returned: always
  type: dict
  contains:
    digest:
      description: SHA-256 of the catalogue now; None when it cannot be read, as behind a lock, with a warning.
      type: str
    recorded_digest:
      description: SHA-256 of what the last run has left; None when none has recorded it.
      type: str
    recorded_at:
      description: When that was, in UTC.
      type: str
    drifted:
      description:
        - Whether something was changed without a migration. None when that is not known, as after a run that failed or
          was killed, or after an upgrade of the server.
      type: bool
    diff:
      description: The lines that differ, as a unified diff.
      type: list
      elements: str
findings:
  description:
    - What is unsafe in the pending files, as M(golive.cutover.db_migrate_lint) returns it, without what only the rows
      of a table tell; empty without O(path).
  returned: always
  type: list
  elements: dict
preflight:
  description:
    - What speaks against applying the pending files now, as M(golive.cutover.db_migrate) looks at it before a run;
      empty without pending files.
  returned: always
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
mutex_holder:
  description: Who migrates this database now; None when nobody does.
  returned: always
  type: dict
  contains:
    pid:
      description: Process of the session on the server.
      type: int
    user:
      description: Role of the session.
      type: str
    application_name:
      description: Name the session gave itself; V(golive) and the id of its run.
      type: str
    client:
      description: Address it came from; None for a local one, or without the right to see it.
      type: str
    since:
      description: Start of the session in UTC; None without the right to see it.
      type: str
    file:
      description: File that it applies.
      type: str
    beat_at:
      description: Its last sign of life in UTC.
      type: str
restore_points_needed:
  description: Names of the backups without which the data that applied files have removed cannot come back.
  returned: always
  type: list
  elements: str
adopted:
  description: The ledger that was taken over; None when none was.
  returned: always
  type: dict
  contains:
    tool:
      description: Name of the tool.
      type: str
    table:
      description: Schema and table.
      type: str
    head:
      description: Its newest version.
      type: str
    checksum:
      description: SHA-256 over versions and checksums of the files that were recorded.
      type: str
    origin_checksum:
      description: SHA-256 over versions and checksums as the tool had them.
      type: str
    taken_at:
      description: Time in UTC.
      type: str
other_ledgers:
  description: Tables in which other migration tools keep their state.
  returned: always
  type: list
  elements: dict
  contains:
    tool:
      description: Name of the tool.
      type: str
    table:
      description: Schema and table.
      type: str
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
from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight import Thresholds
from ansible_collections.golive.cutover.plugins.module_utils._migrate.survey import survey, survey_of_nothing
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached, unasked
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_spec import in_cluster_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        **in_cluster_spec(),
        "path": {"type": "path"},
        "layout": {"type": "str", "choices": list(LAYOUTS), "default": NATIVE},
        "target": {"type": "str"},
        "disk_free": {"type": "bytes"},
        "schema": {"type": "str", "default": "golive"},
        "table": {"type": "str", "default": "migrations"},
    },
    "mutually_exclusive": [["in_cluster", "tunnel"]],
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    ledger = Ledger(params["schema"], params["table"])
    files = (params["path"], params["layout"], params["target"])
    try:
        with reached(call) as reach:
            given = params["disk_free"]
            limits = Thresholds(disk_free=reach.disk_free if given is None else lambda: given)
            return reach.masked(survey(reach.call, reach.where, ledger, *files, limits))
    except GoliveError as error:
        if not (params["in_cluster"] and unasked(call, error)):
            raise
        call.warn(f"All files count as pending: {error.message}")
        return survey_of_nothing(call, ledger, *files)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
