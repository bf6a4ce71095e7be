# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a verb, ``db_migrate`` if none is named, in a process of its own, so that it can be killed.

Parameters come as JSON in, the result goes out. Progress goes into a file when one is named.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.liveness import interruptible
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform

MODULES = "ansible_collections.golive.cutover.plugins.modules"


def main() -> None:
    """Read parameters from stdin, write the result to stdout."""
    verb = importlib.import_module(f"{MODULES}.{sys.argv[1] if len(sys.argv) > 1 else 'db_migrate'}")
    params = json.load(sys.stdin)
    with interruptible() as alive, open(sys.argv[2] if len(sys.argv) > 2 else os.devnull, "w", encoding="utf-8") as log:

        def show(text: str, done: int | None, total: int | None) -> None:
            print(text, done, total, file=log, flush=True)

        print(json.dumps(perform(verb.run, Call(params=params, alive=alive, show=show))))


if __name__ == "__main__":
    main()
