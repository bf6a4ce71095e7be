# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of our verbs in YAML files, with their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PREFIX = "golive.cutover."
GROUP = "group/golive.cutover."
_BLOCKS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")


class Marked(dict[Any, Any]):
    """A mapping that knows the line of each key."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


@dataclass(frozen=True)
class Opaque:
    """A value with a tag of its own (vault, unsafe): present, and nothing else is known."""

    tag: str


@dataclass(frozen=True)
class VerbCall:
    """One use of a verb: in a task, or as module_defaults (``complete`` is false: nothing is required there).

    ``verb`` is ``group/<name>`` for the defaults of an action group; ``defaults`` apply to the task, by verb or group.
    """

    file: Path
    line: int
    verb: str
    arguments: Any
    defaults: Mapping[str, Mapping[str, Any]]
    complete: bool = True


def yaml_files(root: Path) -> list[Path]:
    """Every task file, handler file and playbook of the collection, and of its molecule scenarios."""
    patterns = ("roles/*/tasks/**/*.y*ml", "roles/*/handlers/**/*.y*ml", "playbooks/**/*.y*ml", "molecule/**/*.y*ml")
    return sorted(path for pattern in patterns for path in root.glob(pattern))


def verb_calls(file: Path) -> Iterator[VerbCall]:
    """The calls in one file; a file that holds no list of tasks or plays has none."""
    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    if node is not None:
        yield from _of_list(file, _value(node), {})


def _of_list(file: Path, tasks: Any, defaults: Mapping[str, Mapping[str, Any]]) -> Iterator[VerbCall]:
    for task in tasks if isinstance(tasks, list) else ():
        if not isinstance(task, Marked):
            continue
        own = task.get("module_defaults")
        if isinstance(own, Marked):
            yield from _of_defaults(file, own)
            defaults = {**defaults, **{_verb(key): value for key, value in own.items() if isinstance(value, Mapping)}}
        for key, value in task.items():
            if key in _BLOCKS:
                yield from _of_list(file, value, defaults)
            elif str(key).startswith(PREFIX):
                yield VerbCall(file, task.lines[key], _verb(key), _with_args(value, task), defaults)
            elif key in ("action", "local_action"):
                yield from _of_action(file, task, key, defaults)


def _of_action(file: Path, task: Marked, key: str, defaults: Mapping[str, Mapping[str, Any]]) -> Iterator[VerbCall]:
    value = task[key]
    name = value.get("module") if isinstance(value, Mapping) else str(value).split(maxsplit=1)[0]
    if str(name).startswith(PREFIX):
        arguments: Any = str(value)
        if isinstance(value, Marked):
            arguments = Marked()
            arguments.update({option: item for option, item in value.items() if option != "module"})
            arguments.lines = value.lines
        yield VerbCall(file, task.lines[key], _verb(name), arguments, defaults)


def _of_defaults(file: Path, defaults: Marked) -> Iterator[VerbCall]:
    for key, value in defaults.items():
        if str(key).startswith((GROUP, PREFIX)):
            yield VerbCall(file, defaults.lines[key], _verb(key), value, {}, complete=False)


def _with_args(value: Any, task: Marked) -> Any:
    extra = task.get("args")
    if not isinstance(extra, Marked):
        return value
    both = Marked()
    for part in (extra, value):
        if isinstance(part, Marked):
            both.update(part)
            both.lines.update(part.lines)
    return both


def _verb(key: Any) -> str:
    return str(key).replace(PREFIX, "", 1)


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        mapping = Marked()
        for key_node, value_node in node.value:
            key = _value(key_node)
            mapping[key] = _value(value_node)
            mapping.lines[key] = key_node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    if not node.tag.startswith("tag:yaml.org"):
        return Opaque(node.tag)
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    finally:
        loader.dispose()
