# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that keeps the result of a copy."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_report(path: str, result: Mapping[str, Any]) -> None:
    """Write the result as JSON for its owner alone; without a path nothing. Raises OSError."""
    if not path:
        return
    new = f"{path}.new"
    with open(os.open(new, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
    Path(new).replace(path)
