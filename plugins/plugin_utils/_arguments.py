# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate a task's arguments as AnsibleModule would, with the same words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

_RULES = (
    "argument_spec",
    "mutually_exclusive",
    "required_together",
    "required_one_of",
    "required_if",
    "required_by",
)


@dataclass(frozen=True)
class Arguments:
    """What is left of a task's arguments: values, secrets among them, and what the operator must be told."""

    params: dict[str, Any]
    secrets: frozenset[str]
    error: str | None
    warnings: list[str]
    deprecations: list[dict[str, Any]]


def validated(spec: Mapping[str, Any], arguments: Mapping[str, Any], action: str) -> Arguments:
    """Check ``arguments`` (plain types) against a module's ``SPEC``; ``error`` is None when they are right.

    Reads the environment for fallbacks. ``_no_log_values``, ``_warnings`` and ``_deprecations`` are private names of
    ansible-core, the same in 2.18 to 2.21; nothing else touches them.
    """
    validator = ArgumentSpecValidator(**{key: spec[key] for key in _RULES if key in spec})
    result = validator.validate(arguments)
    error = None
    # `result.errors` is an exception and always true.
    if result.error_messages:
        error = str(result.errors.msg)
        if isinstance(result.errors[0], UnsupportedError):
            error = f"Unsupported parameters for ({action}) module: {error}"
    return Arguments(
        params=result.validated_parameters,
        secrets=frozenset(str(value) for value in result._no_log_values),
        error=error,
        warnings=[f"Both option {one['option']} and its alias {one['alias']} are set." for one in result._warnings],
        deprecations=[{key: value for key, value in one.items() if value is not None} for one in result._deprecations],
    )
