# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say why a release may not begin now: a freeze, or an approval that does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.plugin_utils._freeze import approval_faults, frozen

DOCUMENTATION = r"""
name: release_objections
short_description: Say why a release may not begin now
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Looks at the freeze calendar and at the approval, and names everything that speaks against a release at once.
  - A window of the calendar that cannot be read speaks against it, too, and no override lifts that.
positional: _input
options:
  _input:
    description: The windows, as C(preflight_freeze) has them.
    type: list
    elements: dict
    required: true
  override:
    description: Why the release begins in spite of a freeze. Not empty lifts the freeze.
    type: str
    default: ""
  approval:
    description: The approval, as C(preflight_approval) has it.
    type: dict
    default: {}
  required:
    description: Whether there must be an approval.
    type: bool
    default: false
  version:
    description: The version that the approval must be for.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Stop in a freeze
  ansible.builtin.assert:
    that: objections | length == 0
    fail_msg: "{{ objections | join(' ') }}"
  vars:
    objections: "{{ preflight_freeze | golive.cutover.release_objections }}"
"""

RETURN = r"""
_value:
  description: One sentence per objection; empty when nothing speaks against the release.
  type: list
  elements: str
  sample: ["Releases are frozen until 2026-11-30 06:00 CET: Black Friday. To release all the same, set
    preflight_freeze_override to a reason."]
"""


def release_objections(
    windows: Sequence[Mapping[str, Any]],
    override: str = "",
    approval: Mapping[str, Any] | None = None,
    required: bool = False,
    version: str = "",
    now: datetime | None = None,
) -> list[str]:
    """One sentence for every open window, wrong setting and fault of the approval."""
    moment = now or datetime.now(timezone.utc)
    found, faults = frozen(windows or [], moment)
    sentences = [f"{fault}." for fault in faults]
    if not override.strip():
        sentences += [
            f"Releases are frozen until {one.until:%Y-%m-%d %H:%M %Z}: {one.reason}. "
            "To release all the same, set preflight_freeze_override to a reason."
            for one in found
        ]
    wrong = approval_faults(approval or {}, str(version), required, moment)
    return [*sentences, *([f"The release is not approved: {'; '.join(wrong)}."] if wrong else [])]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"release_objections": release_objections}
