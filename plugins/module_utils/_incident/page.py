# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident as a page of Markdown: what to say now, timeline, what was found, and in the end the review. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._incident.record import SEEN, seconds_of
from ansible_collections.golive.cutover.plugins.module_utils._incident.severities import SEVERITIES, messages

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")
_LONGEST_CELL = 300
_REVIEW = """## Review

Without blame: it asks what made the mistake easy, not who made it. Fill in what stands in <>, within 5 working days.

| question | answer |
| --- | --- |
| Who was hindered, and how | <number of users, requests, money, data> |
| What set it off | <change, load, failure of something else> |
| How it was noticed, and after how long | <alert, user, by chance> |
| What ended it | <step that helped> |
| What else had to come together for it | <missing test, limit, alarm, rule> |
| What went well | <> |
| What was luck | <> |
| What would have halved its duration | <> |

| to do | kind (prevent, notice, end sooner) | who | until |
| --- | --- | --- | --- |
| <> | <> | <> | <> |
"""


def markdown(record: Mapping[str, Any]) -> str:
    """The whole page."""
    parts = [_head(record), *([] if record["closed"] else [_sayings(record)]), _timeline(record)]
    parts += [_scene(row) for row in record["entries"] if row["kind"] == SEEN][-1:]
    parts += [_REVIEW] if record["closed"] else []
    return "\n".join(parts)


def _head(record: Mapping[str, Any]) -> str:
    known = SEVERITIES[record["severity"]]
    lasted = seconds_of(record)
    rows = [
        ["Status", record["status"]],
        ["Severity", f"{record['severity']}: {known.meaning}"],
        ["App", record["app"] + (f" ({record['environment']})" if record["environment"] else "")],
        ["Opened", f"{record['opened']} by {record['opened_by']}"],
        ["Closed", "–" if lasted is None else f"{record['closed']}, after {_lasted(lasted)}"],
        ["Answer", f"{known.answer}; news {known.every} to {known.audience}"],
    ]
    return f"# {_plain(record['id'])}: {_plain(record['summary'])}\n\n{_table(['what', 'is'], rows)}"


def _sayings(record: Mapping[str, Any]) -> str:
    told = messages(record["severity"], record)
    lines = [f"**{name.capitalize()}.** {_plain(text)}\n" for name, text in told.items()]
    return "## What to say\n\n" + "\n".join(lines)


def _timeline(record: Mapping[str, Any]) -> str:
    rows = [[row["at"], row["kind"], row["text"], row["who"]] for row in record["entries"]]
    return f"## Timeline\n\n{_table(['at', 'what', 'text', 'who'], rows)}"


def _scene(row: Mapping[str, Any]) -> str:
    return f"## Found at {_plain(row['at'])}\n\n" + "\n".join(
        f"### {_plain(name.replace('_', ' ').capitalize())}\n\n{_part(part)}" for name, part in row["scene"].items()
    )


def _part(part: Any) -> str:
    if isinstance(part, Mapping):
        if "unknown" in part:
            return f"Not known: {_plain(part['unknown'])}\n"
        return _table(["what", "is"], [[name, _brief(value)] for name, value in part.items()])
    if isinstance(part, Sequence) and not isinstance(part, str):
        rows = [row for row in part if isinstance(row, Mapping)]
        if not rows:
            return "Nothing.\n" if not part else "".join(f"- {_plain(_brief(row))}\n" for row in part)
        names = list(dict.fromkeys(name for row in rows for name in row))
        return _table(names, [[_brief(row.get(name)) for name in names] for row in rows])
    return f"{_plain(_brief(part))}\n"


def _table(head: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    names = [_plain(name) for name in head]
    lines = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _brief(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_brief(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(_brief(item) for item in value)
    return str(value)


def _cell(value: Any) -> str:
    text = _brief(value)
    return _plain(text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]} …")


def _plain(text: str) -> str:
    """On one line, and shown as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _lasted(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
