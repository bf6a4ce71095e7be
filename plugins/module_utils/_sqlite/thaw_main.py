# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``sqlite_thaw`` inside of a Job."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._reach.job_program import run_program
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.thaw import thaw_directly


def main() -> int:
    """The exit code of the program."""
    return run_program(thaw_directly)
