# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``status_page``: keep what was seen, and write page and data where a web server finds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.files import folder_lock, not_writable, write_whole
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._status.history import (
    History,
    days_of,
    fresh,
    is_history,
    is_up,
    uptime,
    with_samples,
)
from ansible_collections.golive.cutover.plugins.module_utils._status.page import page

_PAGE, _DATA, _HISTORY = "index.html", "status.json", "history.json"
# A web server of another user reads them.
_MODE = 0o644
_MOST_INCIDENTS = 20
_SHOWN = ("severity", "summary", "status", "opened", "closed")


def status_page(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    params = call.params
    if not 1 <= params["days"] <= 366:
        raise GoliveError("invalid", f"Writing a status page was refused: days is {params['days']}, not 1 to 366.")
    if call.check_mode:
        return _done(call, write=False)
    with folder_lock(call, Path(params["output"]), 0o755):
        return _done(call, write=True)


def _done(call: Call, write: bool) -> dict[str, Any]:
    params, now = call.params, call.date()
    folder = Path(params["output"])
    before = _history(folder / _HISTORY)
    history = with_samples(before, params["samples"], now, params["days"])
    incidents = _incidents(params["incidents"])
    # Without a look the page only follows its title and the incidents, and tells the time of the last look.
    written = now if params["samples"] else _looked(history, now)
    shown = mask_text(page(params["title"], history, incidents, written, params["days"]), call.secrets)
    known = _read(folder / _PAGE)
    changed = shown != known or history != before
    if changed and write:
        data = json.dumps(_data(params, history, incidents, written), indent=1) + "\n"
        try:
            write_whole(folder / _HISTORY, json.dumps(history) + "\n", _MODE)
            write_whole(folder / _DATA, data, _MODE)
            write_whole(folder / _PAGE, shown, _MODE)
        except OSError as error:
            raise not_writable(folder, error) from error
    components = _components(history)
    result: dict[str, Any] = {
        "changed": changed,
        "page": str(folder / _PAGE),
        "components": components,
        "down": [one["name"] for one in components if one["up"] is False],
    }
    if call.diff_mode:
        result["diff"] = [diff_of(str(folder / _PAGE), _components(before), components)] if changed else []
    return result


def _looked(history: History, now: datetime) -> datetime:
    stamps = [one["last"]["at"] for one in history["components"].values() if one["last"]]
    return datetime.fromisoformat(max(stamps).replace("Z", "+00:00")) if stamps else now


def _components(history: History) -> list[dict[str, Any]]:
    return [
        {"name": name, "up": is_up(one), "uptime": uptime(one), "last": (one["last"] or {}).get("at")}
        for name, one in sorted(history["components"].items())
    ]


def _data(
    params: Mapping[str, Any], history: History, incidents: list[dict[str, Any]], now: datetime
) -> dict[str, Any]:
    rows = _components(history)
    for row in rows:
        one = history["components"][row["name"]]
        row["days"] = [
            {"day": day, "asked": asked, "good": good} for day, asked, good in days_of(one, now.date(), params["days"])
        ]
        row["outages"] = one["outages"]
    return {
        "title": params["title"],
        "written": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "components": rows,
        "incidents": incidents,
    }


def _incidents(directory: str | None) -> list[dict[str, Any]]:
    """Of the newest incidents what users may read; files that are none are passed over."""
    rows = []
    for place in sorted(Path(directory).glob("*.json"), reverse=True)[:_MOST_INCIDENTS] if directory else []:
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and set(_SHOWN) <= found.keys():
            rows.append({key: found[key] for key in _SHOWN})
    return rows


def _history(place: Path) -> History:
    text = _read(place)
    if text is None:
        return fresh()
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not is_history(found):
        raise GoliveError("file_invalid", f"Reading the history {place} failed: it is none.", "Move it elsewhere.")
    return dict(found)


def _read(place: Path) -> str | None:
    try:
        return place.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
