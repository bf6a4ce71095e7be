# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capability gives the exporter: series, and the queries that they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """One series with its value; times are Unix seconds. Labels of the scrape come on top of these."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What the queries of a source gave: samples by query, and by query why there are none."""

    samples: Mapping[str, Sequence[Sample]]
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """``read`` is called each ``every`` seconds with the reader's login (``user`` and ``password``, as far as known).

    It raises GoliveError when none of its ``queries`` can be answered. What a query gave is served for ``keep`` seconds
    from when it was last answered: an old number would look like a good one. ``series`` are the names that may come.
    """

    queries: tuple[str, ...]
    series: frozenset[str]
    every: float
    keep: float
    read: Callable[[Mapping[str, str]], Told]
