# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate`` where only the cluster reaches the database: a Job runs it, and its result is the verb's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._migrate import job_main
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import ALEMBIC, read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.metrics import recorded
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate import plan_from_nothing
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate_verb import wish_of
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, settings
from ansible_collections.golive.cutover.plugins.module_utils._reach.job import Program, VerbJob
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_definition import SECURITY
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_program import DIFF_MODE
from ansible_collections.golive.cutover.plugins.module_utils._reach.login import with_secrets

_NAME = "golive-migrate"


def migrate_by_job(call: Call) -> dict[str, Any]:
    """The result of the verb, from a Job that the option ``in_cluster`` describes.

    Raises GoliveError as the verb does at home, and as ``VerbJob``.
    """
    with ExitStack() as stack:
        client = stack.enter_context(connected(call))
        namespace = call.params["in_cluster"]["namespace"]
        options = call.params["postgresql"] or {}
        where = settings(with_secrets(client, options, namespace, stack))
        labels = {"database": where.database or "", "ledger": str(wish_of(call.params).ledger)}
        return recorded(call, call.params["metrics_file"], labels, lambda: _migrated(call, client, where))


def _migrated(call: Call, client: Client, where: Settings) -> dict[str, Any]:
    wish = wish_of(call.params)
    # Files are read here first: what is wrong with them is told before anything is sent.
    files = [] if wish.layout == ALEMBIC else read_layout(wish.path, wish.layout, call.alive)
    own = {"path": "", "metrics_file": None, DIFF_MODE: call.diff_mode}
    program = Program(_NAME, job_main.__name__, own, {"securityContext": SECURITY})
    job = VerbJob(call, client, program, where, folder=wish.path)
    if call.check_mode:
        job.judge()
        reason = "Only a Job can ask the database and check mode starts none, so that every file is planned."
        return plan_from_nothing(call, wish, reason)
    result = job.result()
    if call.diff_mode:
        result["diff"] = _diff(files, result) + result["diff"]
    return result


def _diff(files: Sequence[Migration], result: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the verb shows of the files at home, from those here: the Job's log need not hold them."""
    applied = {row["version"] for row in result["applied"]}
    shown = [diff_of(row["version"], None, f"recorded as applied ({row['origin']})") for row in result["recorded"]]
    shown += [diff_of(one.up.file, None, one.up.text) for one in files if one.version in applied]
    return shown + [diff_of(f"{row['version']}_{row['name']}", "applied", None) for row in result["reverted"]]
