# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message can be about, and how it is said. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# By event: how urgent a receiver shows it (the names of Apprise), and what its first line says behind the app.
_SAID = {
    "started": ("info", "{purpose} has begun"),
    "shifted": ("info", "live traffic has moved"),
    "succeeded": ("success", "{purpose} went well"),
    "returned": ("warning", "{purpose} failed, traffic is back on the earlier release"),
    "held": ("warning", "{purpose} waits for a decision"),
    "failed": ("failure", "{purpose} failed"),
    "restored": ("warning", "the database was restored"),
    "drill": ("info", "drill of a restore, {verdict}"),
    "incident": ("failure", "incident {severity}, {verdict}"),
    "test": ("info", "a test message"),
}
EVENTS = tuple(_SAID)
FIELDS = (
    *("event", "app", "environment", "purpose", "version", "before", "severity", "verdict"),
    *("summary", "reason", "who", "when", "link", "command"),
)
_LINES = (
    ("What", "summary"),
    ("Why", "reason"),
    ("App", "app"),
    ("Environment", "environment"),
    ("Version", "version"),
    ("Before", "before"),
    ("Verdict", "verdict"),
    ("Severity", "severity"),
    ("Who", "who"),
    ("When", "when"),
    ("Link", "link"),
    ("Next", "command"),
)
_LONGEST_VALUE = 1_000
_LONGEST_TITLE = 200
# Everything but line ends and tabs: a receiver may be a terminal or the head of a mail.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Message:
    """``kind`` is info, success, warning or failure."""

    kind: str
    title: str
    text: str


def message_of(params: Mapping[str, Any], who: str, when: str) -> Message:
    """The message of the verb's options; raises GoliveError ``template_invalid`` with all faults."""
    fields = {name: _clean(params.get(name)) for name in FIELDS}
    fields.update(who=fields["who"] or who, when=when)
    kind, first = _SAID[params["event"]]
    facts = {str(name): _clean(value) for name, value in (params.get("facts") or {}).items()}
    own = {name: params.get(name) for name in ("title", "text")}
    faults = [fault for name, template in own.items() if template for fault in _faults(name, template)]
    if faults:
        raise GoliveError("template_invalid", " ".join(faults), f"Fields are {', '.join(FIELDS)}.")
    title = own["title"].format_map(fields) if own["title"] else f"{_about(fields)}: {first.format_map(fields)}"
    text = own["text"].format_map(fields) if own["text"] else _lines(fields, facts)
    return Message(
        _kind(kind, params), " ".join(_clean(title).split()).rstrip(" ,")[:_LONGEST_TITLE], text.strip() or title
    )


def _kind(kind: str, params: Mapping[str, Any]) -> str:
    verdict = params.get("verdict") or ""
    if params["event"] == "drill":
        return {"pass": "success", "fail": "failure"}.get(verdict, kind)
    if params["event"] == "incident" and verdict == "closed":
        return "success"
    return kind


def _about(fields: Mapping[str, str]) -> str:
    place = f"({fields['environment']})" if fields["environment"] else ""
    return " ".join(part for part in (fields["app"], fields["version"], place) if part)


def _lines(fields: Mapping[str, str], facts: Mapping[str, str]) -> str:
    told = [(label, fields[name]) for label, name in _LINES if fields[name]]
    place = len(told) - sum(label in ("Link", "Next") for label, _value in told)
    told[place:place] = [(name, value) for name, value in facts.items() if value]
    return "\n".join(f"{label}: {value}" for label, value in told)


def _faults(name: str, template: str) -> list[str]:
    try:
        asked = [field for _text, field, _form, _how in Formatter().parse(template) if field is not None]
    except ValueError as error:
        return [f"The option {name} is no template: {error}."]
    unknown = sorted({field for field in asked if field not in FIELDS})
    return [f"The option {name} names the unknown field {field or '{}'}." for field in unknown]


def _clean(value: Any) -> str:
    if value is None:
        return ""
    text = _CONTROL.sub(" ", str(value).replace("\r\n", "\n")).strip()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} …"
