# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Prometheus has of the rules and targets that are expected, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Finding = dict[str, Any]
_MATCHERS = re.compile(r"\{([^{}]*)\}")
_SPACE = str.maketrans("", "", " \n\t")
# Groups that come round more seldom are not waited for.
_SOON_S = 60


def finding(part: str, code: str, message: str, hint: str | None = None) -> Finding:
    """One thing that is wrong, in ``part`` (operator, prometheus, rules, targets)."""
    return {"part": part, "code": code, "message": message, "hint": hint}


def judge_groups(
    wanted: Iterable[Mapping[str, Any]], loaded: Iterable[Mapping[str, Any]], formatted: Callable[[str], str]
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Each wanted group with how many of its rules are loaded and work, and what is wrong.

    ``wanted`` are groups of a rule file, ``loaded`` those of the API, ``formatted`` writes an expression as the server
    does. A rule that was not evaluated yet does not work yet, unless its group comes round less than once a minute.
    """
    there = {group["name"]: group for group in loaded}
    told, faults = [], []
    for group in wanted:
        name, rules = group["name"], list(group["rules"])
        have = list(there[name]["rules"]) if name in there else []
        healthy = sum(rule["health"] == "ok" for rule in have)
        told.append({"name": name, "rules": len(rules), "loaded": len(have), "healthy": healthy})
        if name not in there:
            faults.append(finding("rules", "group_missing", f"Group {name} is not loaded."))
            continue
        if not _same(rules, have, formatted):
            message = f"Group {name} is loaded, but not with the rules of now."
            faults.append(finding("rules", "group_differs", message))
        usual = ("ok",) if there[name]["interval"] <= _SOON_S else ("ok", "unknown")
        faults += [_unhealthy(name, rule) for rule in have if rule["health"] not in usual]
    return told, faults


def _unhealthy(group: str, rule: Mapping[str, Any]) -> Finding:
    if rule["health"] == "unknown":
        return finding("rules", "rule_unevaluated", f"Rule {rule['name']} of {group} was not evaluated yet.")
    return finding("rules", "rule_fails", f"Rule {rule['name']} of {group} fails: {rule.get('lastError')}.")


def _same(wanted: list[Mapping[str, Any]], loaded: list[Mapping[str, Any]], formatted: Callable[[str], str]) -> bool:
    if [rule.get("alert") or rule["record"] for rule in wanted] != [rule["name"] for rule in loaded]:
        return False
    return all(
        _plain(one["expr"]) == _plain(other["query"]) or _plain(formatted(one["expr"])) == _plain(other["query"])
        for one, other in zip(wanted, loaded, strict=True)
    )


def _plain(query: str) -> str:
    """Without what only makes it readable; a server sorts the matchers of a selector."""
    return _MATCHERS.sub(lambda found: ",".join(sorted(found[1].split(","))), query.translate(_SPACE))


def judge_targets(
    wanted: Iterable[Mapping[str, Any]], active: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Each wanted job with its targets, and what is wrong; of a job all targets must be up, and at least ``least``."""
    rows = list(active)
    told, faults = [], []
    for job in wanted:
        name, least = job["job"], job["least"]
        mine = [one for one in rows if one["labels"].get("job") == name]
        up = sum(one["health"] == "up" for one in mine)
        told.append({"job": name, "up": up, "targets": len(mine)})
        if len(mine) < least:
            message = f"Job {name} has {len(mine)} targets, and at least {least} are expected."
            faults.append(finding("targets", "target_missing", message))
        for one in mine:
            if one["health"] != "up":
                reason = one.get("lastError") or "it was not scraped yet"
                message = f"Target {one['scrapeUrl']} of job {name} is not up: {reason}."
                faults.append(finding("targets", "target_down", message))
    return told, faults
