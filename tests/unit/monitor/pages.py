# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/runbooks and docs/alerts.md, made from the catalogue; run this file as a script to write them anew."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._monitor.bounds import BOUNDS, PROFILES
from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import ALERTS, NAMES, RECORDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.guides import GUIDES
from ansible_collections.golive.cutover.plugins.module_utils._monitor.render import groups
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import Alert, Guide
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import settings_from
from ansible_collections.golive.cutover.plugins.module_utils._monitor.words import number

DOCS = Path(__file__).parents[3] / "docs"
EVERYTHING = {
    "app": "shop",
    "standbys": 1,
    "requests_rate": 20,
    "jobs": ["shop"],
    "also": ["certificates", "headers", "cache", "logs", "external_secrets"],
}
INDEX = """# Runbooks

One page for each alert: what it means, what to do first, what to decide, what to run. Each notification carries the
address of its page. In the commands APP is the app's name in the inventory, NAMESPACE its namespace, COLOUR blue or
green; other capitals are what the page has shown you before. `inventories/production` stands for your inventory.

Written from the catalogue by `tests/setup/run main python3 -m tests.unit.monitor.pages`; change the texts there.

"""
OVERVIEW = """# Alerts

What `golive.cutover.prometheus_rules` makes, with the bounds of each profile. Hypercare, the first days after a move,
has stricter ones and waits half as long; three warnings are critical then. [Runbooks](runbooks/README.md) tell what to
do.

Written from the catalogue by `tests/setup/run main python3 -m tests.unit.monitor.pages`.

Three things are held back on purpose. The burn-rate alerts wait until Prometheus has half an hour to 36 hours of
history for their windows, because a new one would fire at the first error; AppErrorRateCritical is there at once.
AppTrafficDropped compares with last week, in the first week with yesterday, before that with `requests_rate`, and
without it stays silent for a day. The trend of PostgresVolumeFilling wants an hour of history.

A database counts as down only when a probe of its port (`probe_success` with `role="database"` and the exporter's
`instance`) fails as well. Without such a probe an exporter that cannot log in looks like a server that is down.

Our own series come from the exporter of the role monitoring; its README says what each is read from.

## How soon

From the fault to the message at a webhook receiver in the cluster, with a Prometheus of the app's own, a scrape each 15
seconds and the profile `mvp`. Single runs, on two cores that had five times the work they could do.

| alert | fault | seconds | resolved after |
|---|---|---|---|
| AppUnreachable | database stopped, so that no pod is ready | 87 | 358 |
| PostgresInstanceDown | database stopped | 95 | 66 |
| PostgresPrimaryMissing | database stopped | 95 | 66 |
| AppReplicasUnavailable | database stopped | 148 | not looked at |
| AppErrorRateCritical | a release that fails for one request in 20, from the start of its rollout | 270 | 238 |
| AppUnreachable | the only pod crashes again and again | 82 | 416 |
| BackupMissing | backups withheld; from when the last one passed a bound of 420 s | 132 | 104 |
| PostgresConnectionsExhausted | idle sessions take every place | 156 | 54 |
| MigrationFailed | a migration that fails in its transaction | 38 | 70 |
| CutoverGuardTripped | a gate that refuses the new release | 56 | 643, by itself |
| PostgresWalArchivingStopped | the store of the backups is gone, one segment is written | 109 | 57 |
| PostgresVolumeFilling | a volume of 1 GiB is filled but for 5 % | 246 | 60 |
| AlertDeliveryFailing | one of three receivers refuses every message | 166 | 300 |

The last two had up to twice the work that the machine could do, the six before them 15 to 20 times.
`tests/e2e/monitoring/test_detection.py` makes their faults.

All six pods of it together use 112 MiB (working set) for one app with its database, Prometheus 50 of them, with a
stand-in of 7 MiB where kube-state-metrics would be.
"""


def runbook(name: str) -> str:
    """The page of an alert."""
    guide, alerts = GUIDES[name], [alert for alert in ALERTS if alert.name == name]
    parts = [
        f"# {name}\n",
        f"{guide.meaning}\n",
        f"**Impact.** {guide.impact}\n",
        "## First five minutes\n",
        "".join(f"{place}. {text}\n" for place, text in enumerate(guide.first, 1)),
        "## Decide\n",
        "| you see | do |\n|---|---|\n" + "".join(f"| {seen} | {action} |\n" for seen, action in guide.decide),
        "## Run\n",
        "```shell\n" + "".join(f"{command}\n" for command in guide.run) + "```\n",
        "## Verify\n",
        f"{guide.verify}\n",
        "## Escalate\n",
        f"{guide.escalate}\n",
        "## The rule\n",
        "".join(_rule(alert) for alert in alerts),
        "[All runbooks](README.md)\n",
    ]
    return "\n".join(parts)


def index() -> str:
    """The list of all pages, the critical ones first."""
    text = INDEX
    for severity in ("critical", "warning", "none"):
        chosen = [one for one in dict.fromkeys((alert.name, alert.severity) for alert in ALERTS) if one[1] == severity]
        text += f"## {severity.capitalize()}\n\n| alert | means |\n|---|---|\n"
        text += "".join(f"| [{name}]({name}.md) | {GUIDES[name].meaning} |\n" for name, _severity in sorted(chosen))
        text += "\n"
    return text.rstrip("\n") + "\n"


def overview() -> str:
    """Every alert with its waiting time, every bound by profile, every record."""
    text = OVERVIEW + "\n## Alerts\n\n| id | alert | severity | waits | needs |\n|---|---|---|---|---|\n"
    for alert in sorted(ALERTS, key=lambda one: (one.id, one.fault)):
        name = f"[{alert.name}](runbooks/{alert.name}.md)" + (f" ({alert.fault})" if alert.fault else "")
        text += f"| {alert.id} | {name} | {alert.severity} | {alert.hold} s | {alert.needs} |\n"
    text += "\nIn the profile `mvp` warnings wait twice as long.\n"
    text += f"\n## Bounds\n\n| bound | {' | '.join(PROFILES)} | hypercare |\n|---|---|---|---|---|\n"
    for name, bound in BOUNDS.items():
        values = " | ".join(number(value) for value in bound.values)
        text += f"| `{name}` | {values} | {'–' if bound.hypercare is None else number(bound.hypercare)} |\n"
    text += "\n## Recording rules\n\n| id | record | needs |\n|---|---|---|\n"
    for record in RECORDS:
        text += f"| {record.id} | `{record.name}` | {record.needs} |\n"
    return text


@cache
def pages() -> dict[Path, str]:
    """Every page by its path."""
    made = {DOCS / "runbooks" / f"{name}.md": runbook(name) for name in NAMES}
    return {**made, DOCS / "runbooks" / "README.md": index(), DOCS / "alerts.md": overview()}


def commands(guide: Guide) -> list[str]:
    """Every command of a runbook: those to run, and those between backticks."""
    texts = [*guide.first, *(text for pair in guide.decide for text in pair), guide.verify]
    quoted = [text.split("`")[1::2] for text in texts]
    return [*guide.run, *(one for found in quoted for one in found if " " in one)]


def _rule(alert: Alert) -> str:
    rule: dict[str, Any] = next(
        rule
        for group in groups(settings_from(EVERYTHING))
        for rule in group["rules"]
        if rule.get("alert") == alert.name and rule["labels"].get("fault", "") == alert.fault
    )
    title = f'With the label `fault="{alert.fault}"`, ' if alert.fault else ""
    text = f"{title}{alert.severity}, after {alert.hold} s, as `standard` has it for an app named shop:\n\n"
    return f"{text[0].upper()}{text[1:]}```promql\n{rule['expr']}\n```\n\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
