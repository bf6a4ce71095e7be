# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways a verb can end early: an error it can explain, and an interruption it must obey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class GoliveError(Exception):
    """A failure that a person can act on.

    ``code`` is machine-readable and stable (``conflict``, ``quota_exceeded`` …). ``message`` reads *verb + object +
    reason*. ``hint`` says what to try. ``details`` are JSON types; they become top-level keys of the task's result.
    Never put a secret that is not a ``no_log`` option into any of them.
    """

    def __init__(
        self, code: str, message: str, hint: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} Try: {self.hint}" if self.hint else self.message


class Interrupted(BaseException):
    """The run was cancelled or its parent is gone: undo what must be undone, then leave.

    Derived from BaseException so that no ``except Exception`` takes it for a failure of its own.
    """
