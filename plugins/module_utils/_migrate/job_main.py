# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``db_migrate`` inside of a Job."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate import shows_catalogue
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate_verb import migrate_directly
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_program import run_program


def main() -> int:
    """The exit code of the program."""
    return run_program(_migrated)


def _migrated(call: Call) -> dict[str, Any]:
    """The verb's result; of a diff only what is not known without the database, or the log would hold all files."""
    result = migrate_directly(call)
    if call.diff_mode:
        result["diff"] = [entry for entry in result["diff"] if shows_catalogue(entry)]
    return result
