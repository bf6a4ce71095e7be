# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verb inside of a Job: a program in a zip archive with its parameters and files; it needs psycopg2.

It tells what it does line by line. A line that begins with ``WARNING`` holds a warning, the one that begins with
``RESULT`` the result, both as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._core.liveness import interruptible
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform

PARAMS = "params.json"
FILES = "files/"
CERTIFICATE = "root.crt"
# The option that says whether the result shall have a diff; the verb does not get it.
DIFF_MODE = "diff_mode"
RESULT = "golive-result: "
WARNING = "golive-warning: "
_SHOW_S = 1.0


def run_program(verb: Callable[[Call], dict[str, Any]]) -> int:
    """The exit code of the program: 0 when the verb has not failed. An empty option ``path`` becomes its files."""
    with tempfile.TemporaryDirectory() as place:
        with zipfile.ZipFile(sys.path[0]) as archive:
            members = [one for one in archive.namelist() if one.startswith(FILES) or one == CERTIFICATE]
            archive.extractall(place, members)
            params = json.loads(archive.read(PARAMS))
        # A directory without files is no entry of the archive.
        Path(place, FILES).mkdir(exist_ok=True)
        params["path"] = params["path"] or os.path.join(place, FILES)
        diff_mode = bool(params.pop(DIFF_MODE, False))
        if CERTIFICATE in members:
            params["postgresql"]["sslrootcert"] = os.path.join(place, CERTIFICATE)
        try:
            with interruptible() as alive:
                call = Call(params=params, diff_mode=diff_mode, show=_Shown().show, warn=_warn, alive=alive)
                result = perform(verb, call)
        except Interrupted as stop:
            result = {"failed": True, "changed": False, "msg": f"Interrupted: {stop}.", "code": "interrupted"}
    _write(RESULT + json.dumps(result))
    return int(bool(result.get("failed")))


class _Shown:
    """Each new progress line once, and one a second at most: the log is kept and read again and again."""

    def __init__(self) -> None:
        self._last = ""
        self._due = 0.0

    def show(self, text: str, done: int | None, total: int | None) -> None:
        if text != self._last and time.monotonic() >= self._due:
            self._last, self._due = text, time.monotonic() + _SHOW_S
            _write(f"{text} ({done}/{total})" if total else text)


def _warn(text: str) -> None:
    _write(WARNING + json.dumps(text))


def _write(line: str) -> None:
    sys.stdout.write(line.replace("\n", " ") + "\n")
    sys.stdout.flush()
