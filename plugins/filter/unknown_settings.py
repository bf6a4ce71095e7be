# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find variables that look like settings of our roles and are none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

DOCUMENTATION = r"""
name: unknown_settings
short_description: Name misspelt settings and the right ones
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Compares variable names with the settings of the roles, as their argument specs declare them.
  - A name that resembles a setting is taken for a misspelling of it. A name that begins with V(golive_) must be a
    setting.
  - Other names are left alone, because a team may have variables of its own that begin like ours.
positional: _input, known
options:
  _input:
    description: The variable names to look at.
    type: list
    elements: str
    required: true
  known:
    description: The names of all settings.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Name what is misspelt
  ansible.builtin.debug:
    msg: "{{ ['app_verison'] | golive.cutover.unknown_settings(['app_version']) }}"
"""

RETURN = r"""
_value:
  description: One sentence per wrong name.
  type: list
  elements: str
  sample: ["app_verison is not a setting; did you mean app_version?"]
"""

_LIKENESS = 0.84


def unknown_settings(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """One sentence for every name that is no setting but resembles one, or begins with ``golive_``."""
    settings = sorted(set(known))
    return [sentence for name in sorted(set(names) - set(settings)) if (sentence := _sentence(name, settings))]


def _sentence(name: str, settings: list[str]) -> str | None:
    close = difflib.get_close_matches(name, settings, n=1, cutoff=_LIKENESS)
    if close:
        return f"{name} is not a setting; did you mean {close[0]}?"
    if name.startswith("golive_"):
        return f"{name} is not a setting; see the README of the role preflight for those that begin with golive_."
    return None


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"unknown_settings": unknown_settings}
