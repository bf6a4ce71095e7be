# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``incident``: open one, add to it, close it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._incident import record as entries
from ansible_collections.golive.cutover.plugins.module_utils._incident.redacting import redacted, redacted_text
from ansible_collections.golive.cutover.plugins.module_utils._incident.scene import collected
from ansible_collections.golive.cutover.plugins.module_utils._incident.severities import messages
from ansible_collections.golive.cutover.plugins.module_utils._incident.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import this_holder

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$")


def incident(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    params = call.params
    for option in ("app", "id"):
        if params[option] is not None and not _NAME.match(params[option]):
            raise GoliveError("invalid", f"The option {option} is no name for a file: letters, digits, . _ - only.")
    if params["action"] == "note" and not (params["text"] or params["severity"] or params["collect"]):
        raise GoliveError("invalid", "Adding to an incident was refused: it needs text, severity or collect.")
    store = Store(call, params["directory"])
    work = _Work(call, store, redacted(params, call.secrets))
    # What the cluster shows takes seconds, in which others may write.
    scene = work.scene() if params["collect"] and not call.check_mode else None
    if call.check_mode or params["action"] == "read":
        return work.result(*work.changed(scene))
    with store.locked():
        before, after = work.changed(scene)
        if after is not None and after != before:
            store.write(after)
    return work.result(before, after)


@dataclass(frozen=True)
class _Work:
    call: Call
    store: Store
    params: Mapping[str, Any]

    def changed(self, scene: Mapping[str, Any] | None) -> tuple[entries.Record | None, entries.Record | None]:
        """The incident as it is and as it should be; None for none. Raises GoliveError ``not_found``."""
        params = self.params
        found = self.store.find(params["app"], params["id"])
        if params["action"] == "read":
            return found, found
        if params["action"] == "open":
            return found, self._seen(found or self._opened(), scene if found is None else None)
        if found is None:
            named = f"incident {params['id']}" if params["id"] else f"open incident of {params['app']}"
            raise GoliveError(
                "not_found", f"There is no {named} in {params['directory']}.", "Open one with action=open first."
            )
        if params["action"] == "close":
            ended = entries.closed(found, self._now(), self._who(), params["text"] or "")
            return found, found if ended is found else self._seen(ended, scene)
        after = entries.noted(found, self._now(), self._who(), params["text"] or "")
        if params["severity"]:
            after = entries.rated(after, self._now(), self._who(), params["severity"])
        after = self._seen(after, scene)
        return found, after

    def scene(self) -> dict[str, Any]:
        """What others found and what the cluster shows, without secrets; what cannot be asked is unknown."""
        params = self.call.params
        end = self.call.now() + params["timeout"]
        asking = replace(self.call, deadline=lambda: min(self.call.deadline(), end))
        try:
            with connected(asking) as client:
                shown = collected(client, params["namespace"], self.call.date(), params["hours"])
        except GoliveError as error:
            shown = {"cluster": {"unknown": error.message}}
        found: dict[str, Any] = redacted({**params["snapshot"], **shown}, self.call.secrets)
        return found

    def result(self, before: entries.Record | None, after: entries.Record | None) -> dict[str, Any]:
        changed = after != before
        place = str(self.store.place(after["id"])) if after is not None else None
        made: dict[str, Any] = {
            "changed": changed,
            "incident": after,
            "id": after["id"] if after else None,
            "status": after["status"] if after else None,
            "severity": after["severity"] if after else None,
            "seconds": entries.seconds_of(after) if after else None,
            "file": place,
            "page": place.removesuffix(".json") + ".md" if place else None,
            "messages": messages(after["severity"], after) if after else {},
        }
        if self.call.diff_mode:
            header = f"incident {made['id']}"
            made["diff"] = [diff_of(header, _told(before), _told(after))] if changed else []
        return made

    def _opened(self) -> entries.Record:
        params = self.params
        at = self._now()
        name = params["id"] or self.store.free(f"{re.sub('[^0-9T]', '', at[:19])}Z-{params['app']}")
        return entries.opened(
            name,
            params["app"],
            params["environment"] or "",
            params["severity"],
            params["summary"],
            self._who(),
            at,
        )

    def _seen(self, known: entries.Record, scene: Mapping[str, Any] | None) -> entries.Record:
        return known if scene is None else entries.seen(known, self._now(), self._who(), scene)

    def _who(self) -> str:
        holder = this_holder()
        return str(self.params["who"] or redacted_text(f"{holder.user} on {holder.host}", self.call.secrets))

    def _now(self) -> str:
        return self.call.date().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(record: entries.Record | None) -> Any:
    """What a diff shows: without what was found, which is long."""
    if record is None:
        return None
    rows = [{key: value for key, value in row.items() if key != "scene"} for row in record["entries"]]
    return {**record, "entries": rows}
