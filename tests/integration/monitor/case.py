# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a test of a rule is written down, and what promtool makes of it.

An alert is tested by itself: the records it reads are given as series, just above and just below its bound. A test that
fires also says that one step earlier it does not, which pins ``for``. A quiet test holds in the same breath the series
that make the alert fire, of another namespace and of another app: they must not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._monitor.render import groups
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import settings_from

# Everything that an app may have, so that each rule of the catalogue is there.
EVERYTHING: Mapping[str, Any] = {
    "app": "shop",
    "standbys": 1,
    "requests_rate": 20,
    "jobs": ["shop", "shop-postgres"],
    "also": ["certificates", "headers", "cache", "logs", "external_secrets"],
}
Series = tuple[str, str]
Rule = dict[str, Any]


def _series(name: str, values: float | str, labels: Mapping[str, str]) -> Series:
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inner}}}", values if isinstance(values, str) else f"{values!r}x*"


def of_app(name: str, values: float | str, /, **labels: str) -> Series:
    """A series of the app. A number is a value that stays, a text is in promtool's notation."""
    return _series(name, values, {"namespace": "shop", "app": "shop", **labels})


def of_database(name: str, values: float | str, /, **labels: str) -> Series:
    """A series of the database."""
    return _series(name, values, {"namespace": "shop", "pgcluster": "shop-postgres", **labels})


def of_namespace(name: str, values: float | str, /, **labels: str) -> Series:
    """A series that knows neither app nor database."""
    return _series(name, values, {"namespace": "shop", **labels})


def bare(name: str, values: float | str, /, **labels: str) -> Series:
    """A series without any label of ours."""
    return _series(name, values, labels)


@dataclass(frozen=True)
class Case:
    """``fires`` are the labels of each alert besides those of the rule; none means that it stays quiet.

    ``start`` is the second from which the condition holds. ``loose`` leaves out the look one step earlier, where the
    two versions of Prometheus differ. A quiet case is looked at from ``start`` on, until the alert would have fired.
    """

    alert: str
    series: tuple[Series, ...]
    fires: tuple[Mapping[str, str], ...] = ()
    start: int = 0
    step: int = 30
    fault: str = ""
    loose: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


def fires(alert: str, *series: Series, labels: Iterable[Mapping[str, str]] = ({},), **more: Any) -> Case:
    """The alert fires, once for each entry of ``labels``."""
    return Case(alert, series, tuple(labels), **more)


def quiet(alert: str, *series: Series, **more: Any) -> Case:
    """The alert stays quiet."""
    return Case(alert, series, **more)


def rules_of(settings: Mapping[str, Any]) -> list[Rule]:
    """All rules for these settings on top of EVERYTHING, in their order."""
    return [rule for group in groups(settings_from({**EVERYTHING, **settings})) for rule in group["rules"]]


def rule_of(case: Case) -> Rule:
    """The rule that a case is about, without its texts."""
    (rule,) = (
        rule
        for rule in rules_of(case.settings)
        if rule.get("alert") == case.alert and rule["labels"].get("fault", "") == case.fault
    )
    return {key: value for key, value in rule.items() if key != "annotations"}


def strangers(series: Iterable[Series]) -> list[Series]:
    """The same series of another namespace, and of another database or another app."""
    found = []
    for name, values in series:
        whose = "pgcluster" if "pgcluster=" in name else "app"
        for label in ("namespace", whose):
            stranger = re.sub(rf'\b{label}="[^"]+"', f'{label}="other"', name)
            if stranger != name:
                found.append((stranger, values))
    return found


def seconds(rule: Rule) -> int:
    """``for`` of a rule."""
    return int(rule.get("for", "0s")[:-1])


def file_of(case: Case, rule: Rule, hold: int, decoys: Iterable[Series] = ()) -> dict[str, Any]:
    """What promtool reads, without the names of rule files. ``hold`` is that of the rule before it was altered."""
    step, at = case.step, case.start + hold
    expected = [{"exp_labels": {**rule["labels"], **labels}} for labels in case.fires]
    if case.fires:
        looks = [(at, expected)]
        if not case.loose and at - step >= 0:
            looks.insert(0, (at - step, []))
    else:
        looks = [(case.start, []), (at, []), (at + max(hold, 2 * step), [])]
    end = looks[-1][0]
    samples = end // step + 1
    return {
        "evaluation_interval": f"{step}s",
        "tests": [
            {
                "interval": f"{step}s",
                "input_series": [
                    {"series": name, "values": re.sub(r"x\*$", f"x{samples}", values)}
                    for name, values in (*case.series, *decoys)
                ],
                "alert_rule_test": [
                    {"eval_time": f"{when}s", "alertname": case.alert, "exp_alerts": alerts} for when, alerts in looks
                ],
            }
        ],
    }
