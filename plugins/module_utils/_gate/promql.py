# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which series a PromQL expression reads.

A rate over minutes still gives numbers when its series ended minutes ago, and ``or vector(0)`` gives one without any
series: whether a value rests on fresh samples is seen at the selectors alone.
"""

from __future__ import annotations

import re

_STRING = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`"
_MATCHERS = rf"\{{(?:[^{{}}\"'`]|{_STRING})*\}}"
_NOISE = re.compile(
    rf"(?P<keep>{_MATCHERS})|\#[^\n]*|{_STRING}"
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
    r"|\[[^\]]*\]|\boffset\s+-?\s*\w+|@\s*(?:[\d.]+|\w+\s*\(\s*\))",
    re.IGNORECASE,
)
_SELECTOR = re.compile(rf"(?P<name>(?<![\w:.])[A-Za-z_:][\w:]*)?\s*(?P<matchers>{_MATCHERS})?(?P<call>\s*\()?")
_WORDS = frozenset(
    (
        "and",
        "or",
        "unless",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "offset",
        "inf",
        "nan",
        "atan2",
        "sum",
        "min",
        "max",
        "avg",
        "group",
        "stddev",
        "stdvar",
        "count",
        "count_values",
        "bottomk",
        "topk",
        "quantile",
    )
)


def selectors(query: str) -> list[str]:
    """The vector selectors of an expression without their ranges, each once, in order."""
    plain = _NOISE.sub(lambda found: found["keep"] or " ", query)
    texts = [
        f"{found['name'] or ''}{found['matchers'] or ''}"
        for found in _SELECTOR.finditer(plain)
        if not found["call"] and (found["matchers"] or (found["name"] and found["name"].lower() not in _WORDS))
    ]
    return list(dict.fromkeys(texts))


def is_selector(text: str) -> bool:
    """Whether the text is one vector selector and nothing else."""
    return selectors(text) == [text.strip()]


def metric_of(selector: str) -> str:
    """The metric's name of a selector; empty when only its matchers name it."""
    return selector.partition("{")[0].strip()
