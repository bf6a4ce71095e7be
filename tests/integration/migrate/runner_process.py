# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``db_migrate``, or the verb that is named, in a process of its own, so that it can be killed.

Parameters come in as JSON, and the result goes out.
"""

from __future__ import annotations

import json
import sys

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.liveness import interruptible
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform
from ansible_collections.golive.cutover.plugins.modules import db_migrate, db_migrate_rehearse


def main() -> None:
    """Read parameters from stdin, write the result to stdout."""
    params = json.load(sys.stdin)
    verb = db_migrate_rehearse if sys.argv[1:] == ["db_migrate_rehearse"] else db_migrate
    with interruptible() as alive:
        print(json.dumps(perform(verb.run, Call(params=params, alive=alive))))


if __name__ == "__main__":
    main()
