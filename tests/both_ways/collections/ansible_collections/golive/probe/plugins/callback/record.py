# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write every task result as one JSON line, so that a test sees what the callbacks see."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: record
type: aggregate
short_description: Write every task result as one JSON line
description: Used by tests only; the file is named by E(PROBE_RECORD).
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core carries no types
    """Opt-in by callbacks_enabled."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "golive.probe.record"

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write("failed", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._write("skipped", result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._write("item ok", result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._write("item failed", result)

    def v2_runner_retry(self, result: Any) -> None:
        self._write("retry", result)

    def _write(self, event: str, result: Any) -> None:
        line = {"task": result._task.get_name(), "event": event, "result": result._result}
        with open(os.environ["PROBE_RECORD"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
