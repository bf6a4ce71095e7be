# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pod templates as a diff may show them: literal settings can hold secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import MASK

_IN_URL = re.compile(r"(://[^/\s:@]+:)[^/\s@]+(@)")
_NAMED = re.compile(r"((?:pass(?:word|wd)?|token|secret|api[-_]?key)[\w-]*[=: ]\s*)\S+", re.IGNORECASE)


def shown_templates(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[Any, Any]:
    """Two states of a pod template (or of anything around one) without literal values of environment variables.

    Names stay. A value that differs is marked on both sides, so that the change shows and the value does not. Passwords
    in URLs and behind telling names in commands and arguments are masked too.
    """
    old, new = _settings(before or {}), _settings(after)
    changed = {key for key in old.keys() & new.keys() if old[key] != new[key]}
    return (_masked(before, changed, "old") if before else None), _masked(after, changed, "new")


def _settings(node: Any) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "env" and isinstance(value, list):
                rows = [row for row in value if isinstance(row, Mapping) and "value" in row]
                found |= {(str(node.get("name")), str(row.get("name"))): str(row["value"]) for row in rows}
            else:
                found |= _settings(value)
    elif isinstance(node, list):
        for row in node:
            found |= _settings(row)
    return found


def _masked(node: Any, changed: set[tuple[str, str]], mark: str) -> Any:
    if isinstance(node, str):
        return _NAMED.sub(rf"\g<1>{MASK}", _IN_URL.sub(rf"\g<1>{MASK}\g<2>", node))
    if isinstance(node, list):
        return [_masked(row, changed, mark) for row in node]
    if not isinstance(node, Mapping):
        return node
    shown = {key: _masked(value, changed, mark) for key, value in node.items() if key != "env"}
    if isinstance(node.get("env"), list):
        shown["env"] = [
            {**row, "value": f"{MASK} ({mark})" if (str(node.get("name")), str(row.get("name"))) in changed else MASK}
            if isinstance(row, Mapping) and "value" in row
            else row
            for row in node["env"]
        ]
    return shown
