# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the verb in a process of its own: file, port and database come as arguments."""

from __future__ import annotations

import sys

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import sqlite_copy
from tests.integration.postgres import PASSWORD, SUPERUSER


def main() -> None:
    """Copy, or end with an error."""
    path, port, name = sys.argv[1:]
    spec = sqlite_copy.SPEC["argument_spec"]
    where = {"host": "127.0.0.1", "port": int(port), "database": name, "user": SUPERUSER, "password": PASSWORD}
    params = {key: option.get("default") for key, option in spec.items()}
    sqlite_copy.run(call_for_tests({**params, "path": path, "postgresql": where}))
