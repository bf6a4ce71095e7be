# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole catalogue, theme by theme."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._monitor import (
    catalogue_app,
    catalogue_change,
    catalogue_kubernetes,
    catalogue_postgres,
    catalogue_protection,
    catalogue_watch,
    objective,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import Alert, Record


@dataclass(frozen=True)
class Theme:
    """One group of rules. Records stand before the alerts that read them: a group is evaluated in its order.

    ``interval`` in seconds is for what changes slowly and costs much; 0 is Prometheus' own.
    """

    name: str
    records: tuple[Record, ...]
    alerts: tuple[Alert, ...]
    interval: int = 0


# They read 30 days each time.
_MONTH = ("R07", "R08", "R09")
_APP = (*objective.records(), *catalogue_app.RECORDS)
_PRIMARIES, _STANDBYS, _REQUESTS, _JOBS = catalogue_watch.EXPECTED

THEMES = (
    Theme(
        "app",
        (_REQUESTS, *(record for record in _APP if record.id not in _MONTH)),
        (*objective.alerts(), *catalogue_app.ALERTS),
    ),
    Theme("app-month", tuple(record for record in _APP if record.id in _MONTH), (), 300),
    Theme("kubernetes", (), catalogue_kubernetes.ALERTS),
    Theme("postgres", (_PRIMARIES, _STANDBYS, *catalogue_postgres.RECORDS), catalogue_postgres.ALERTS),
    Theme("protection", catalogue_protection.RECORDS, catalogue_protection.ALERTS),
    Theme("change", catalogue_change.RECORDS, catalogue_change.ALERTS),
    Theme("watch", (_JOBS,), catalogue_watch.ALERTS),
)

RECORDS = tuple(record for theme in THEMES for record in theme.records)
ALERTS = tuple(alert for theme in THEMES for alert in theme.alerts)
NAMES = tuple(dict.fromkeys(alert.name for alert in ALERTS))
