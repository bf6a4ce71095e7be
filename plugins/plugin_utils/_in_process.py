# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a verb in the worker of ``ansible-playbook``, or hand it over to the ordinary module path.

The two ways must give the same result; what makes them equal is in ``module_utils/_core`` and used by both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.concealing import hidden, masked, shown_warnings
from ansible_collections.golive.cutover.plugins.module_utils._core.liveness import dies_with_parent, interruptible
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform
from ansible_collections.golive.cutover.plugins.module_utils._core.plain import plain
from ansible_collections.golive.cutover.plugins.plugin_utils._arguments import Arguments, validated
from ansible_collections.golive.cutover.plugins.plugin_utils._progress import ProgressLines
from ansible_collections.golive.cutover.plugins.plugin_utils._surroundings import surroundings

# Set it to run every verb as a module: for comparing the two ways, and for finding out which one has a fault.
FORCE_MODULE = "GOLIVE_RUN_AS_MODULE"

display = Display()


class InProcessAction(ActionBase):
    """The action plugin of a verb; a subclass names the verb's module."""

    verb: ModuleType

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result; ``failed``, ``code`` and ``msg`` instead of an exception when the verb fails."""
        super().run(tmp, task_vars)
        known = task_vars or {}
        reason = self._why_module(known)
        if reason is not None:
            display.vvv(f"{self._task.action} runs as a module: {reason}", host=known.get("inventory_hostname"))
            return self._as_module(known)
        with surroundings(self._environment(), self._loader.get_basedir()):
            result = self._in_process(known)
        return hidden(result) if self._task.no_log else result

    def _in_process(self, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        spec: dict[str, Any] = self.verb.SPEC
        arguments = validated(spec, plain(self._task.args), self._task.action)
        warnings = list(arguments.warnings)
        result = self._outcome(spec, arguments, warnings, task_vars)
        result = masked(result, arguments.secrets)
        warnings = shown_warnings(warnings, arguments.secrets, self._task.no_log)
        if warnings:
            result["warnings"] = warnings
        if arguments.deprecations:
            result["deprecations"] = arguments.deprecations
        return result

    def _outcome(
        self, spec: Mapping[str, Any], arguments: Arguments, warnings: list[str], task_vars: Mapping[str, Any]
    ) -> dict[str, Any]:
        if arguments.error is not None:
            return _invalid(arguments.error)
        if self._task.check_mode and not spec.get("supports_check_mode", False):
            return {"skipped": True, "msg": f"remote module ({self._task.action}) does not support check mode"}
        progress = ProgressLines(display, self._task, task_vars, arguments.secrets)
        with interruptible() as alive, progress as lines:
            call = Call(
                params=arguments.params,
                check_mode=self._task.check_mode,
                diff_mode=self._task.diff,
                secrets=arguments.secrets,
                show=lines.show,
                warn=warnings.append,
                alive=alive,
            )
            return perform(self.verb.run, call)

    def _as_module(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        with dies_with_parent():
            result: dict[str, Any] = self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
        # Core < 2.21 returns the arguments: a password under a misspelt name would show at -vvv.
        result.pop("invocation", None)
        # AnsibleModule adds the arguments, and with them a Secret's values, where it refuses them; -vvv shows it.
        result.pop("invocation", None)
        # What fails before `finish` has no code: AnsibleModule refused the arguments, or nothing of ours ever ran.
        if result.get("failed") and not {"code", "module_stdout", "rc", "unreachable"} & set(result):
            result.update({key: value for key, value in _invalid("").items() if key != "msg"})
        return hidden(result) if self._task.no_log else result

    def _environment(self) -> dict[str, str]:
        merged: dict[str, Any] = {}
        self._compute_environment_string(merged)
        # A module would see the text of a number or a bool, too.
        return {plain(key): str(plain(value)) for key, value in merged.items()}

    def _why_module(self, task_vars: Mapping[str, Any]) -> str | None:
        """Why this task is not plain and local; None when it is."""
        if os.environ.get(FORCE_MODULE):
            return f"{FORCE_MODULE} is set"
        if self._task.async_val:
            return "async"
        if self._connection.transport != "local":
            return f"connection {self._connection.transport}"
        # Not the task's keyword: it is False when ansible_become comes from the inventory.
        if self._connection.become is not None:
            return "become"
        python = self._interpreter(task_vars)
        if python is None or python.startswith("auto") or _is_own_python(python):
            return None
        return f"interpreter {python}"

    def _interpreter(self, task_vars: Mapping[str, Any]) -> str | None:
        facts = task_vars
        if self._task.delegate_to:
            facts = (task_vars.get("ansible_delegated_vars") or {}).get(self._task.delegate_to) or {}
        python = facts.get("ansible_python_interpreter")
        return None if python is None else str(self._templar.template(python))


def _invalid(message: str) -> dict[str, Any]:
    return {"failed": True, "changed": False, "msg": message, "code": "invalid_arguments", "hint": None}


def _is_own_python(path: str) -> bool:
    # The directory counts: the python of two virtual environments is one file, their libraries are not.
    try:
        return os.path.samefile(path, sys.executable) and os.path.samefile(
            os.path.dirname(path), os.path.dirname(sys.executable)
        )
    except OSError:
        return False
