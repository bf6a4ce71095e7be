# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the collection keeps its code, and what a source file imports."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
PREFIX = "ansible_collections.golive.cutover.plugins."


def names(kind: str) -> set[str]:
    """Names of the plugins of a kind, such as ``modules`` or ``action``."""
    return {path.stem for path in (PLUGINS / kind).glob("*.py") if path.stem != "__init__"}


def sources() -> dict[str, Path]:
    """Every Python file of the collection by its dotted name below ``plugins``; a package by its own name."""
    found = {}
    for path in PLUGINS.rglob("*.py"):
        parts = path.relative_to(PLUGINS).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports(path: Path) -> set[str]:
    """Dotted names that running the file imports, at any depth; `from a import b` gives `a.b`."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: relative import")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.If) and _for_types_only(node):
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))
    return found


def own_imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The collection's own files among ``imports``, as keys of ``known``; unknown ones raise ValueError."""
    found = set()
    for name in imports(path):
        if not name.startswith(PREFIX):
            continue
        local = name.removeprefix(PREFIX)
        while local and local not in known and not (PLUGINS / local.replace(".", "/")).is_dir():
            local = local.rpartition(".")[0]
        if local not in known:
            raise ValueError(f"{path}: {name} is not a file of the collection")
        found.add(local)
    return found
