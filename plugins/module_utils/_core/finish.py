# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second half of a module's ``main``: what the in-process runner does, for a verb that runs as a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.concealing import hidden, shown_warnings
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._core.liveness import interruptible
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import Run, perform
from ansible_collections.golive.cutover.plugins.module_utils._core.plain import plain

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def finish(module: AnsibleModule, run: Run) -> None:
    """Run the verb with the module's validated parameters and exit with its result."""
    warnings: list[str] = []
    result = _result(module, run, warnings)
    for text in shown_warnings(warnings, module.no_log_values, module.no_log):
        module.warn(text)
    # Not fail_json: it adds a traceback of its own, or drops ours, depending on the version of core.
    # Without an `invocation` of ours core < 2.20 adds the arguments, and with them a Secret's values, to -vvv.
    module.exit_json(**{"invocation": {}, **(hidden(result) if module.no_log else result)})


def _result(module: AnsibleModule, run: Run, warnings: list[str]) -> dict[str, Any]:
    try:
        with interruptible() as alive:
            call = Call(
                params=plain(module.params),
                check_mode=module.check_mode,
                diff_mode=module._diff,
                secrets=frozenset(module.no_log_values),
                warn=warnings.append,
                alive=alive,
            )
            return perform(run, call)
    except Interrupted as stop:
        return {"failed": True, "changed": False, "msg": f"Interrupted: {stop}.", "code": "interrupted", "hint": None}
