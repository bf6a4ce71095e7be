# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule of the catalogue is.

An expression holds words that the renderer fills in:

``$A`` ``$P`` ``$N``: ``by (…)`` of an app, of a database, of a namespace;
``$app`` ``$pg`` ``$ns``: matchers of the app's, the database's, the namespace's own series;
``$pods`` ``$mine`` ``$deployments`` ``$claims``: patterns for names of objects that Kubernetes reports without an app;
every other ``$word``: a bound of the profile.
"""

from __future__ import annotations

from dataclasses import dataclass

CRITICAL, WARNING, NONE = "critical", "warning", "none"


@dataclass(frozen=True)
class Record:
    """A recording rule. ``needs`` is the component without which it has no data.

    ``cnpg`` is the expression for a database that CloudNativePG runs, where that has other series. ``adds`` names the
    labels (app, pgcluster) that the series of Kubernetes lack and the rule sets.
    """

    id: str
    name: str
    expr: str
    needs: str
    cnpg: str = ""
    adds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alert:
    """An alerting rule. ``hold`` and ``keep`` are ``for`` and ``keep_firing_for`` in seconds.

    Alerts of one name with different ``fault`` are looked at by different expressions and share a runbook. With
    ``grave`` a warning is critical during hypercare.
    """

    id: str
    name: str
    severity: str
    hold: int
    expr: str
    needs: str
    summary: str
    description: str
    cnpg: str = ""
    keep: int = 0
    fault: str = ""
    grave: bool = False


@dataclass(frozen=True)
class Guide:
    """The text of a runbook; ``decide`` are pairs of what is seen and what to do then."""

    meaning: str
    impact: str
    first: tuple[str, ...]
    decide: tuple[tuple[str, str], ...]
    run: tuple[str, ...]
    verify: str
    escalate: str
