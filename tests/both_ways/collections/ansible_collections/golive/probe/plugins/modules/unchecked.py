# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verb without check mode."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish

DOCUMENTATION = r"""
module: unchecked
short_description: A verb without check mode
description: Used by tests only.
options: {}
author: Cutover contributors
"""

SPEC: dict[str, Any] = {"argument_spec": {}}


def run(call: Call) -> dict[str, Any]:
    """Must not be called in check mode."""
    return {"changed": True, "check_mode": call.check_mode}


def main() -> None:
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
