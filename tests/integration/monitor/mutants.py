# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small faults in a rule, one at a time: a test of the rule must notice each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.integration.monitor.case import Rule, seconds

_STRING = re.compile(r'"[^"]*"')
_COMPARED = re.compile(r"(?<![=!<>~])(==|!=|<=|>=|<|>)(?![=~])")
_NUMBER = re.compile(r"(?<![\w.:])\d+(?:\.\d+)?(?![\w.:])")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)("[^"]*")')
_SET = re.compile(r"\b(and|or|unless)\b")
_AGGREGATED = re.compile(r"\b(sum|max|min|count|avg)\b(?= by| \()")
_OTHER_WAY = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_OTHER_MATCH = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_OTHER_SET = {"and": ("or", "unless"), "or": ("and",), "unless": ("and", "or")}
_OTHER_SUM = {"sum": "max", "max": "min", "min": "max", "count": "max", "avg": "max"}
# Without them an expression would still join only series that agree on them: no test can tell the difference.
_SCOPE = {"namespace", "app", "pgcluster"}


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """What was altered, and the altered rule."""
    expr = rule["expr"]
    for what, text in _altered(expr):
        yield what, {**rule, "expr": text}
    if "alert" in rule:
        hold = seconds(rule)
        for other in (0, hold * 2) if hold else (600,):
            yield f"for {hold}s -> {other}s", {**rule, "for": f"{other}s"}


def _altered(expr: str) -> Iterator[tuple[str, str]]:
    # Selectors and strings are looked at only by the mutants of matchers.
    plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]", lambda found: "#" * len(found[0]), expr)
    plain = _STRING.sub(lambda found: "#" * len(found[0]), plain)
    plain = re.sub(r"\bby \([^)]*\)|\bon \([^)]*\)|\boffset \w+", lambda found: "#" * len(found[0]), plain)
    for found in _COMPARED.finditer(plain):
        yield _swap(expr, found, _OTHER_WAY[found[1]])
    for found in _NUMBER.finditer(plain):
        value = float(found[0])
        for other in (value * 2, value / 2) if value else (1.0,):
            yield _swap(expr, found, f"{other:.10f}".rstrip("0").rstrip("."))
    for found in _SET.finditer(plain):
        for other in _OTHER_SET[found[1]]:
            yield _swap(expr, found, other)
    for found in _AGGREGATED.finditer(plain):
        yield _swap(expr, found, _OTHER_SUM[found[1]])
    for found in _MATCHER.finditer(expr):
        yield _swap(expr, found, found[1] + _OTHER_MATCH[found[2]] + found[3])
        if found[1] not in _SCOPE:
            yield _swap(expr, found, f'{found[1]}=~".*"')


def _swap(expr: str, found: re.Match[str], other: str) -> tuple[str, str]:
    text = expr[: found.start()] + other + expr[found.end() :]
    return f"{expr[max(0, found.start() - 30) : found.end() + 5]!r}: {found[0]} -> {other}", text
