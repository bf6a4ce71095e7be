# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A linter for the expressions of the catalogue: what promtool accepts, but would never fire, or lie."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from tests.unit.monitor.contract import COUNTERS, GAUGES, UNSCOPED

_SELECTOR = re.compile(r"(?<![\w:\"])([A-Za-z_][\w:]*)(?![\w:])(\{[^}]*\})?(\[[^\]]*\])?(?!\s*\()")
_CLAUSE = re.compile(r"\b(by|without|on|ignoring|group_left|group_right) \([^)]*\)")
_WORDS = {"and", "or", "unless", "by", "on", "ignoring", "bool", "offset", "group_left", "group_right", "without"}
_AGGREGATED = re.compile(r"(?<![\w:])(?:sum|max|min|avg|count|topk|bottomk|quantile)\b(?! by \()")
_COUNTING = re.compile(r"\b(rate|increase|irate)\($")


@dataclass(frozen=True)
class Selector:
    """One use of a series: where it stands, its matchers and its range."""

    name: str
    matchers: str
    window: str
    before: str


def selectors(expr: str) -> list[Selector]:
    """Every series that the expression reads."""
    blank = re.sub(r'"[^"]*"', lambda found: '"' + "." * (len(found[0]) - 2) + '"', expr)
    blank = _CLAUSE.sub(lambda found: " " * len(found[0]), blank)
    return [
        Selector(
            found[1], expr[found.start(2) : found.end(2)] if found[2] else "", found[3] or "", expr[: found.start()]
        )
        for found in _SELECTOR.finditer(blank)
        if found[1] not in _WORDS and not re.fullmatch(r"\d.*", found[1]) and not _in_braces(blank, found.start())
        and not re.search(r"\boffset $", blank[: found.start()])
    ]  # fmt: skip


def faults(expr: str, records: Set[str], alert: bool) -> list[str]:
    """What is wrong with the expression of a rule; ``records`` are the names that the catalogue itself makes."""
    found = faults_of_series(expr, COUNTERS | GAUGES | records, COUNTERS)
    if _AGGREGATED.search(re.sub(r'"[^"]*"', "", expr)):
        found.append("an aggregation that drops the namespace")
    for labels in re.findall(r"\bby \(([^)]*)\)", expr):
        names = {label.strip() for label in labels.split(",")}
        unscoped = all(one.name.startswith(UNSCOPED) for one in selectors(expr))
        if not unscoped and not {"cluster", "namespace"} <= names:
            found.append(f"by ({labels}) drops the labels that routes need")
    if alert and expr != "vector(1)" and not re.search(r"[^=!<>~](==|!=|<=|>=|<|>)[^=~]|\bunless\b", expr):
        found.append("an alert that compares nothing")
    return found


def faults_of_series(expr: str, known: Set[str], counters: Set[str]) -> list[str]:
    """What is wrong with the series that it reads: unknown, a counter in the wrong place, or of somebody else."""
    found = []
    for one in selectors(expr):
        if one.name not in known:
            found.append(f"{one.name}: no exporter and no record has it")
        counted = _COUNTING.search(re.sub(r"[\w:]+$", "", one.before))
        if one.name in counters and not counted:
            found.append(f"{one.name}: a counter without rate or increase")
        if one.name not in counters and counted:
            found.append(f"{one.name}: rate or increase of what is no counter")
        if not one.name.startswith(UNSCOPED) and 'namespace="' not in one.matchers:
            found.append(f"{one.name}: of any namespace")
        if not one.name.startswith((*UNSCOPED, "golive_expected")) and not re.search(
            r'\b(app|pgcluster|pod|deployment|persistentvolumeclaim|horizontalpodautoscaler|poddisruptionbudget)=~?"',
            one.matchers,
        ):
            of_namespace = ("kube_resourcequota", "kube_job_", "certmanager_", "externalsecret_")
            if not one.name.startswith(of_namespace):
                found.append(f"{one.name}: of any app")
    return found


def _in_braces(text: str, place: int) -> bool:
    return text.rfind("{", 0, place) > text.rfind("}", 0, place)
