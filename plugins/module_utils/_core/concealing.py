# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a result may be seen, the same in process and as a module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values


def masked(result: Mapping[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """``result`` without the values of ``no_log`` options; bool and None stay, as in AnsibleModule.exit_json."""
    kept = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
    return {**remove_values(dict(result), frozenset(secrets)), **kept}


def hidden(result: Mapping[str, Any]) -> dict[str, Any]:
    """``result`` for a task with ``no_log: true``: Ansible censors it, but core >= 2.19 prints ``msg`` all the same."""
    shown = {key: value for key, value in result.items() if key not in ("exception", "warnings")}
    if shown.get("failed"):
        shown["msg"] = f"{shown.get('code', 'failed')} (details hidden by no_log)"
    return shown


def shown_warnings(warnings: Iterable[str], secrets: Iterable[str], no_log: bool) -> list[str]:
    """Each warning once and masked (core >= 2.19 prints a module's warnings in clear); none under ``no_log``."""
    if no_log:
        return []
    known = frozenset(secrets)
    return list(dict.fromkeys(remove_values(text, known) for text in warnings))
