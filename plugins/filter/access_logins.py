# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what ``login_secret`` says to what ``pg_access`` is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: access_logins
short_description: Logins of pg_access for what login_secret keeps in Secrets
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Of two logins that take turns the one in the Secret may log in, and the other one may not.
  - While a change is under way both may, the coming one with the password in its own Secret.
positional: _input, secret
options:
  _input:
    description: Results of M(golive.cutover.login_secret) by kind of login, which is C(app), C(owner) or C(reader).
    type: dict
    required: true
  secret:
    description: Names of the Secrets by kind of login.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Let the app log in
  golive.cutover.pg_access:
    database: shop
    logins: "{{ {'app': login} | golive.cutover.access_logins({'app': 'shop-postgres'}) }}"
"""

RETURN = r"""
_value:
  description: For the option C(logins) of M(golive.cutover.pg_access).
  type: list
  elements: dict
"""


def access_logins(kept: Mapping[str, Mapping[str, Any]], secret: Mapping[str, str]) -> list[dict[str, Any]]:
    """Two logins for each kind: that of the Secret, and the other one."""
    found: list[dict[str, Any]] = []
    for of, one in kept.items():
        found.append({"name": one["login"], "of": of, "password_secret": {"name": secret[of]}})
        if one["spare"] is None:
            continue
        spare: dict[str, Any] = {"name": one["spare"], "of": of}
        if one["next"] is None:
            spare["state"] = "disabled"
        elif one["coming"] == one["spare"]:
            spare["password_secret"] = {"name": one["next"]}
        found.append(spare)
    return found


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"access_logins": access_logins}
