# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets a message: by name, and the URL behind it, which nobody but the delivery sees."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value

_SOURCES = ("secret", "variable", "file")


@dataclass(frozen=True)
class Target:
    """``name`` is how results call it; ``events`` is empty when it gets all."""

    name: str
    events: frozenset[str]
    source: str
    place: Any

    def wants(self, event: str) -> bool:
        """Whether it gets messages of this event."""
        return not self.events or event in self.events


def targets_from(params: Mapping[str, Any]) -> list[Target]:
    """The targets as they are wished for; raises GoliveError ``invalid`` with all faults."""
    targets, faults = [], []
    for number, row in enumerate(params["targets"], start=1):
        given = [source for source in _SOURCES if row.get(source)]
        if len(given) != 1:
            faults.append(f"targets[{number}] needs one of secret, variable and file, and has {len(given)}.")
            continue
        place = row[given[0]]
        if given[0] == "secret":
            place = {**place, "namespace": place.get("namespace") or params.get("namespace")}
            if not place["namespace"]:
                faults.append(f"targets[{number}].secret needs a namespace, or the option namespace.")
        name = row.get("name") or _named(given[0], place)
        targets.append(Target(name, frozenset(row.get("events") or ()), given[0], place))
    names = [target.name for target in targets]
    faults += [f"Two targets are called {name}." for name in sorted({name for name in names if names.count(name) > 1})]
    if faults:
        raise GoliveError("invalid", " ".join(faults))
    return targets


def urls_of(call: Call, targets: Iterable[Target]) -> dict[str, str | GoliveError]:
    """By the target's name its URL, or why there is none. Raises GoliveError ``library_missing``."""
    wanted = list(targets)
    found: dict[str, str | GoliveError] = {
        target.name: _outside(target) for target in wanted if target.source != "secret"
    }
    stored = [target for target in wanted if target.source == "secret"]
    if stored:
        try:
            with connected(call) as client:
                urls = client.map(lambda target: _stored(client, target), stored)
        except GoliveError as error:
            if error.code == "library_missing":
                raise
            urls = [error] * len(stored)
        found.update(zip([target.name for target in stored], urls, strict=True))
    return found


def _named(source: str, place: Any) -> str:
    if source == "secret":
        return f"Secret {place['name']}, key {place['key']}"
    return f"{'variable' if source == 'variable' else 'file'} {place}"


def _stored(client: Client, target: Target) -> str | GoliveError:
    place = target.place
    try:
        return _one_url(secret_value(client, place["namespace"], place["name"], place["key"]))
    except GoliveError as error:
        return error


def _outside(target: Target) -> str | GoliveError:
    if target.source == "variable":
        value = os.environ.get(target.place, "")
        if not value:
            return GoliveError("not_found", f"The environment variable {target.place} is not set.")
    else:
        try:
            value = Path(target.place).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            return GoliveError("not_found", f"Reading the file {target.place} failed: {why}.")
    try:
        return _one_url(value)
    except GoliveError as error:
        return error


def _one_url(value: str) -> str:
    lines = value.split()
    if len(lines) != 1:
        raise GoliveError("url_invalid", f"It must hold one URL, and holds {len(lines)} words.")
    return lines[0]
