# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the Secret that is made for an entry of ``app_secrets``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

DOCUMENTATION = r"""
name: secret_name
short_description: Name of the Secret for an entry of app_secrets
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - An entry that holds its own values gets a name with a digest of them, so that each content has a Secret of its own.
  - The digest is slow to compute and salted with namespace and name, so that it does not help in guessing a value.
  - An entry without values names a Secret that is there, and keeps its name.
positional: _input, namespace
options:
  _input:
    description: Entry of C(app_secrets), with C(name) and perhaps C(data).
    type: dict
    required: true
  namespace:
    description: Namespace of the Secret.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: A Secret that is there
  ansible.builtin.debug:
    msg: "{{ {'name': 'shop-secrets'} | golive.cutover.secret_name('shop') }}"
"""

RETURN = r"""
_value:
  description: Name of the Secret.
  type: str
  sample: shop-secrets
"""

_ROUNDS = 100_000


def secret_name(entry: Mapping[str, Any], namespace: str) -> str:
    """The entry's name, with a digest of its values when it has any."""
    name = str(entry["name"])
    if not entry.get("data"):
        return name
    return f"{name}-{_digest(json.dumps(dict(entry['data']), sort_keys=True, default=str), f'{namespace}/{name}')}"


@lru_cache(maxsize=64)
def _digest(content: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", content.encode(), salt.encode(), _ROUNDS, 5).hex()


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"secret_name": secret_name}
