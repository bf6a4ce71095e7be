# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verb's SPEC says about literal arguments; values from templates are only known to be there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common import validation
from ansible.module_utils.common.parameters import DEFAULT_TYPE_VALIDATORS

from tests.unit.spec_check.sources import Marked, Opaque, VerbCall

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Collection:
    """What can be called: the SPEC of each verb, and the verbs of each action group."""

    specs: Mapping[str, Spec]
    groups: Mapping[str, Sequence[str]]


def findings(call: VerbCall, known: Collection) -> list[str]:
    """``file:line: verb: what is wrong`` for one call; empty when it is right."""
    group = call.verb.removeprefix("group/")
    if group != call.verb:
        if group not in known.groups:
            return [f"{call.file}:{call.line}: there is no action group {group}{_instead(group, known.groups)}"]
        return [line for verb in known.groups[group] for line in _of_call(call, verb, known)]
    if call.verb not in known.specs:
        return [f"{call.file}:{call.line}: there is no verb {call.verb}{_instead(call.verb, known.specs)}"]
    return _of_call(call, call.verb, known)


def _of_call(call: VerbCall, verb: str, known: Collection) -> list[str]:
    arguments = Marked() if call.arguments is None else call.arguments
    if isinstance(arguments, str) and not _templated(arguments):
        return [f"{call.file}:{call.line}: {verb}: write the options as a mapping"]
    if not isinstance(arguments, Marked):
        return []
    values: dict[str, Any] = {}
    for group, members in known.groups.items():
        if verb in members:
            values.update(call.defaults.get(f"group/{group}", {}))
    values.update({**call.defaults.get(verb, {}), **arguments})
    found = _of_options(known.specs[verb], values, arguments.lines, "", call.line, call.complete)
    return [f"{call.file}:{line}: {verb}: {text}" for line, text in found]


def _of_options(
    spec: Spec, values: Mapping[str, Any], lines: Mapping[str, int], path: str, line: int, complete: bool
) -> Iterator[tuple[int, str]]:
    """Findings for one level of options; ``path`` is where it hangs, "" or "ports."."""
    options: Mapping[str, Spec] = spec["argument_spec"]
    names = {alias: name for name, option in options.items() for alias in (name, *option.get("aliases", ()))}
    given: dict[str, Any] = {}
    for key, value in values.items():
        if key in names:
            given[names[key]] = value
        # What comes from module_defaults has no line here and is checked there.
        if key in lines and key in names:
            yield from _of_value(options[names[key]], value, f"{path}{key}", lines[key])
        elif key in lines:
            yield lines[key], f"unknown option {path}{key}{_instead(key, names)}"
    if complete:
        for name, option in options.items():
            if option.get("required") and name not in given:
                yield line, f"required option {path}{name} is missing"
        yield from _of_relations(spec, given, path, line)


def _of_relations(spec: Spec, given: Mapping[str, Any], path: str, line: int) -> Iterator[tuple[int, str]]:
    sure = {key: value for key, value in given.items() if "omit" not in str(value) or not _templated(value)}
    options = spec["argument_spec"].items()
    with_defaults = {name: one["default"] for name, one in options if one.get("default") is not None} | dict(given)
    checks = (
        (validation.check_mutually_exclusive, "mutually_exclusive", sure),
        (validation.check_required_together, "required_together", given),
        (validation.check_required_one_of, "required_one_of", given),
        (validation.check_required_by, "required_by", given),
        (validation.check_required_if, "required_if", with_defaults),
    )
    for check, rule, values in checks:
        try:
            check(spec.get(rule), values)
        except TypeError as error:
            yield line, f"{path}{': ' if path else ''}{error}"


def _of_value(option: Spec, value: Any, path: str, line: int) -> Iterator[tuple[int, str]]:
    if value is None or _templated(value) or isinstance(value, Opaque):
        return
    kind = option.get("type", "str")
    try:
        # A literal number or boolean for a text is how YAML traps people: mode: 0644, version: 1.10.
        if kind == "str" and isinstance(value, (bool, float)):
            raise TypeError("put the text into quotes")
        if kind != "raw":
            DEFAULT_TYPE_VALIDATORS[kind](value)
    except (TypeError, ValueError) as error:
        yield line, f"option {path} must be of type {kind}, not {type(value).__name__} {_short(value)}: {error}"
        return
    items = value if isinstance(value, list) else [value]
    choices = option.get("choices")
    for item in items:
        if choices and not _templated(item) and item not in choices and str(item) not in map(str, choices):
            yield line, f"option {path} must be one of {', '.join(map(str, choices))}, not {_short(item)}"
    if kind == "list" and option.get("elements") and isinstance(value, list):
        element = {**option, "type": option["elements"], "choices": None}
        for number, item in enumerate(value):
            yield from _of_value(element, item, f"{path}[{number}]", line)
    elif option.get("options") and isinstance(value, Marked):
        inner = {**option, "argument_spec": option["options"]}
        yield from _of_options(inner, value, value.lines, f"{path}.", line, True)


def _templated(value: Any) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _instead(name: Any, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _short(value: Any) -> str:
    text = repr(dict(value)) if isinstance(value, Marked) else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
