# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of restores and drills, kept in the repository as a chain: each holds the SHA-256 of the one before it.

``golive/reports/head.json`` names the last one and is overwritten only by whoever has read it, so that two runs at
once never fork the chain. A report that nobody names any more, or that was changed, is seen when the chain is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Content, Store
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_FOLDER = "golive/reports/"
_HEAD = f"{_FOLDER}head.json"
_TRIES = 5


def append_report(store: Store, report: Mapping[str, Any]) -> dict[str, str]:
    """Write a report behind the last one; where it is and its SHA-256. ``report`` has ``name`` and ``started``.

    Raises GoliveError ``changed`` when others append all the time, ``report_unreadable`` for a head that is none, and
    as the store.
    """
    for _try in range(_TRIES):
        head = store.get_or_none(_HEAD)
        body = _body({**report, "previous": _told(head)})
        place = {"object": _named(report, body), "sha256": hashlib.sha256(body).hexdigest()}
        store.put_if_none(place["object"], body)
        try:
            if head is None:
                store.put_if_none(_HEAD, _body(place))
            else:
                store.put_if_match(_HEAD, _body(place), head.etag)
        except GoliveError as error:
            if error.code != "changed":
                raise
            store.delete(place["object"])
            continue
        return place
    raise GoliveError("changed", "Writing the report failed: others write reports all the time.", "Run again.")


def read_reports(store: Store) -> Iterator[dict[str, Any]]:
    """All reports from the newest to the first.

    Raises GoliveError ``report_changed`` at one that is missing or is not what the next one says.
    """
    head = store.get_or_none(_HEAD)
    place = _told(head)
    while place:
        content = store.get_or_none(place["object"])
        if content is None or hashlib.sha256(content.data).hexdigest() != place["sha256"]:
            state = "is missing" if content is None else "was changed"
            raise GoliveError(
                "report_changed", f"The report {place['object']} {state}: what follows it says otherwise."
            )
        report: dict[str, Any] = json.loads(content.data)
        yield report
        place = report["previous"]


def _named(report: Mapping[str, Any], body: bytes) -> str:
    stamp = "".join(letter for letter in str(report["started"]) if letter.isalnum())
    return f"{_FOLDER}{stamp}-{report['name']}-{hashlib.sha256(body).hexdigest()[:8]}.json"


def _body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode()


def _told(head: Content | None) -> dict[str, str] | None:
    if head is None:
        return None
    try:
        place = json.loads(head.data)
        return {"object": str(place["object"]), "sha256": str(place["sha256"])}
    except (ValueError, KeyError, TypeError) as error:
        raise GoliveError(
            "report_unreadable", f"Reading the last report failed: {_HEAD} does not name one.", "Look at who wrote it."
        ) from error
