# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each severity asks of those who handle an incident, and what they say meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Severity:
    """``every`` is how often news are given while it lasts, in words."""

    name: str
    meaning: str
    answer: str
    every: str
    audience: str
    lead: str


SEVERITIES = {
    one.name: one
    for one in (
        Severity(
            "P1",
            "Nobody can use the app, or data is lost or at risk.",
            "at once, at any hour, with a lead who does nothing else",
            "every 15 minutes",
            "users (status page), support, management",
            "All of our users cannot use {app} since {since}.",
        ),
        Severity(
            "P2",
            "Many users are hindered, or an important part does not work.",
            "within 15 minutes, at any hour",
            "every 30 minutes",
            "users (status page), support",
            "Parts of {app} do not work for many users since {since}.",
        ),
        Severity(
            "P3",
            "Few users are hindered, or there is a way around it.",
            "within 4 hours of the working day",
            "twice a day",
            "support",
            "Some users of {app} are hindered since {since}. Most notice nothing.",
        ),
        Severity(
            "P4",
            "Nobody is hindered yet.",
            "on the next working day",
            "when something changes",
            "the team",
            "We look into something about {app} that hinders nobody, seen at {since}.",
        ),
    )
}


def messages(severity: str, incident: Mapping[str, Any]) -> dict[str, str]:
    """What to say ``first``, as an ``update`` and when it is ``resolved``; what only people know stands in <>."""
    known = SEVERITIES[severity]
    app, since = incident["app"], str(incident["opened"])[:16].replace("T", " ") + " UTC"
    review = " A review follows within 5 working days." if severity in ("P1", "P2") else ""
    lead = known.lead.format(app=app, since=since)
    return {
        "first": f"{lead} We are working on it: {incident['summary']}. Next news: {known.every}.",
        "update": f"{lead} What we know: <cause or what was ruled out>. What we do: <step>. "
        f"It helps meanwhile to <way around, or «nothing»>. Next news: {known.every}.",
        "resolved": f"{app} works again since <time>. It was hindered since {since}. The cause was <one sentence>. "
        f"We have <what was done>.{review}",
    }
