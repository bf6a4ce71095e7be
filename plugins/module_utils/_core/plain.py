# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task arguments as the built-in types a JSON document has."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any


def plain(value: Any) -> Any:
    """A deep copy made of dict, list, str, int, float, bool and None only.

    Ansible hands over tagged or "unsafe" subclasses, which YAML dumpers and database drivers refuse. Vaulted values
    are decrypted here, because only their ``str`` is the secret.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, Set)):
        return [plain(item) for item in value]
    # str(value) alone may keep the subclass.
    return "".join(str(value))
