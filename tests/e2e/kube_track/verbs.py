# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call a verb as its module does, with validated options, and give back its result or its failure."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform


def call_verb(verb: ModuleType, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
    """The task's result; ``options`` may hold ``call_options`` for the Call itself."""
    extra = options.pop("call_options", {})
    rules = {name: value for name, value in verb.SPEC.items() if name not in ("argument_spec", "supports_check_mode")}
    given = {"kubeconfig": os.environ["KUBECONFIG"], **options}
    checked = ArgumentSpecValidator(verb.SPEC["argument_spec"], **rules).validate(given)
    assert not checked.error_messages, checked.error_messages
    call = Call(params=checked.validated_parameters, check_mode=check, diff_mode=diff, **extra)
    return perform(verb.run, call)
