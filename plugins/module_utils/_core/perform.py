# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call a verb's ``run`` and turn whatever happens into the result of its task."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

Run = Callable[[Call], Mapping[str, Any]]


def perform(run: Run, call: Call) -> dict[str, Any]:
    """The result of ``run(call)`` as JSON types; only Interrupted and its like get out.

    A GoliveError becomes ``failed``, ``msg``, ``code``, ``hint`` and its details at the top level; ``changed`` is
    false unless the details say otherwise. Any other exception, and a result JSON cannot hold, has code ``internal``
    and the traceback in ``exception``.
    """
    try:
        return _json_types({"changed": False, **run(call)})
    except GoliveError as error:
        return _explained(error)
    except Exception as error:  # pylint: disable=broad-except
        return _unexpected(error)


def _json_types(result: Mapping[str, Any]) -> dict[str, Any]:
    # In process, objects would survive that a module cannot send.
    decoded: dict[str, Any] = json.loads(json.dumps(result, allow_nan=False))
    return decoded


def _explained(error: GoliveError) -> dict[str, Any]:
    failure = {"failed": True, "msg": str(error), "code": error.code, "hint": error.hint}
    try:
        return _json_types({"changed": False, **error.details, **failure})
    except (TypeError, ValueError):
        return _json_types({"changed": False, **failure, "details": repr(error.details)})


def _unexpected(error: Exception) -> dict[str, Any]:
    return {
        "failed": True,
        "changed": False,
        "msg": f"Unexpected {type(error).__name__}: {error}",
        "code": "internal",
        "hint": None,
        "exception": "".join(traceback.format_exception(type(error), error, error.__traceback__)),
    }
