# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dashboard is: panels with queries, in the words of the catalogue (``rule.py``).

``$__rate_interval`` is Grafana's and is left alone: the range of a rate, at least four scrapes long.
"""

from __future__ import annotations

from dataclasses import dataclass

# Units, as Grafana names them.
SHARE, SECONDS, REQUESTS, COUNT, BYTES, OPERATIONS = "percentunit", "s", "reqps", "short", "bytes", "ops"
NUMBERS, LINES = "stat", "timeseries"


@dataclass(frozen=True)
class Query:
    """One expression. ``legend`` may hold ``{{label}}``; ``needs`` is the component without which it has no data.

    ``cnpg`` stands in its place for a database that CloudNativePG runs; ``silent`` tells why it may be without data
    though all its parts are there, empty when it must have some.
    """

    expr: str
    legend: str
    needs: str
    unit: str = COUNT
    cnpg: str = ""
    silent: str = ""


@dataclass(frozen=True)
class Panel:
    """``bands`` are bounds of the profile from good to bad, ``falls`` says that less is worse."""

    title: str
    text: str
    queries: tuple[Query, ...]
    kind: str = LINES
    bands: tuple[str, ...] = ()
    falls: bool = False
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """What is drawn as a moment through all panels."""

    name: str
    expr: str
    text: str
    needs: str


@dataclass(frozen=True)
class Dashboard:
    """``name`` is a word of its file and of its address."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...] = ()
