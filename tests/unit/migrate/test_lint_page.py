# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/lint-rules.md says what the rules say; run this file as a script to write it anew."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import RULES, Rule

PAGE = Path(__file__).parents[3] / "docs" / "lint-rules.md"
HEAD = """# Rules of the migration linter

Ids never change their meaning. An error fails the task, a warning with `fail_on: warning` as well, an info never. Rules
of style are asked for by `style: true`.

| rule | severity | lock | what happens | instead |
|---|---|---|---|---|
"""


def row(rule: Rule) -> str:
    return f"| `{rule.id}` | {rule.severity} | {rule.lock or '–'} | {rule.effect} | {rule.rewrite} |\n"


def page() -> str:
    return HEAD + "".join(map(row, RULES.values()))


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text() == page()


if __name__ == "__main__":
    PAGE.write_text(page())
