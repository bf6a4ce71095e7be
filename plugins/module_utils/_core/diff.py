# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after as Ansible's diff callback shows them."""

from __future__ import annotations

import json
from typing import Any


def diff_of(header: str, before: Any, after: Any) -> dict[str, str]:
    """One entry of a result's ``diff`` list: ``before`` and ``after`` as sorted JSON text. Mask secrets first."""
    return {
        "before_header": header,
        "after_header": header,
        "before": _text(before),
        "after": _text(after),
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value if value.endswith("\n") or not value else value + "\n"
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
