# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dead man of a run: a Job in the app's namespace that returns traffic when the run's Lease is no longer renewed.

The role ``release`` sends this file and those it imports into a pod that has nothing but Python 3.9, and names in
``watch.json`` what to watch: ``app, run, holder, token``, the API paths ``lease, journal, slices``, ``serves`` (the
Service of the old colour), ``colour``, ``grace`` in seconds, and ``rows`` as ``traffic_info`` gives them (way_back).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._release.dead_man_api import (
    JSON,
    JSON_PATCH,
    Api,
    ApiError,
)
from ansible_collections.golive.cutover.plugins.module_utils._release.dead_man_rules import (
    HERE,
    OF_THE_RUN,
    OURS,
    THERE,
    TOKEN,
    Object,
    Patch,
    Quiet,
    Row,
    is_ours,
    patch_back,
    place_of,
    ready_of,
    token_of,
    whose,
)
from ansible_collections.golive.cutover.plugins.module_utils._release.journal import BEGIN, FINISH, journal_from

WHO = "golive.cutover/holder"
USER = "dead man"
PURPOSE = "dead_man"
_LEASES, _TRAFFIC, _JOURNAL = ("?fieldManager=golive-" + name for name in ("lease", "traffic", "journal"))
_LOOK_S = 1.0
_TRIES = 20
_HOLD_S = 30.0
# Returning takes less; a successor waits no longer than this for a dead man that died itself.
_DURATION_S = 60
_CHANGED = (409, 422)
_GONE = 404


# What an object shall become, by what it is; None when it is so already.
Wanted = Callable[[Object], Any]


class Asks(Protocol):
    """What reaches the API server; raises ApiError."""

    def request(self, method: str, path: str, body: Any = None, content_type: str = JSON) -> Any:
        """The answer's JSON."""


class LeftError(Exception):
    """Traffic cannot be returned, or is no longer this dead man's to return."""


class DeadMan:
    """Watches one run. ``pause`` waits that many seconds and is true once it shall stop; ``say`` takes lines for the
    log; ``ready`` is called once everything that is needed could be read."""

    def __init__(
        self,
        api: Asks,
        watch: Mapping[str, Any],
        *,
        pause: Callable[[float], bool],
        say: Callable[[str], None],
        ready: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._watch = watch
        self._pause = pause
        self._say = say
        self._ready = ready
        self._clock = clock
        self._host = socket.gethostname()
        self._run = f"{watch['run']}-dead-man"
        self._identity = f"{USER}@{watch['app']}/{self._run}"

    def run(self) -> int:
        """Watch until the run has ended or traffic is returned; the exit code, not 0 where another try may help."""
        quiet, ready, told = Quiet(), False, ""
        while not self._pause(_LOOK_S):
            objection = ""
            try:
                lease = self._get(self._watch["lease"])
                owner = whose(lease, self._watch["holder"], self._watch["token"], self._identity)
                if owner == OURS:
                    # The answer to our write was lost, or an earlier pod of this Job did not come to its end.
                    self._act(int(lease["spec"]["leaseTransitions"]))
                    return 0
                if owner != OF_THE_RUN:
                    self._say(f"run {self._watch['run']} has ended or was replaced; nothing to do")
                    return 0
                quiet.seen(lease, self._clock())
                over = quiet.seconds > float(lease["spec"]["leaseDurationSeconds"]) + self._watch["grace"]
                if over or not ready:
                    objection = self._objection()
                    ready = ready or self._begin_watching()
                if over and not objection:
                    self._say(f"run {self._watch['run']} has not renewed its Lease for {quiet.seconds:.0f} s")
                    self._take(lease)
            except ApiError as error:
                quiet.blind()
                objection = str(error)
            if objection and objection != told:
                self._say(objection)
            told = objection
        return 1

    def _begin_watching(self) -> bool:
        self._say(f"watching run {self._watch['run']}")
        self._ready()
        return True

    def _objection(self) -> str:
        """Why traffic cannot or need not be returned now; empty when it can and must be."""
        places = {row["name"]: place_of(row, self._get(row["path"])) for row in self._rows()}
        strange = [name for name, place in places.items() if place not in (HERE, THERE)]
        if strange:
            return f"somebody else changed {', '.join(strange)}"
        if THERE not in places.values():
            return f"traffic is on {self._watch['colour']}"
        return "" if self._serving(self._watch["serves"]) else f"{self._watch['colour']} has no ready endpoint"

    def _take(self, lease: Object) -> None:
        """Take the Lease as it was read, with a token above every known one; the next look tells how that went."""
        known = [self._token_at(path) for path in (self._watch["journal"], *(row["path"] for row in self._rows()))]
        now = _now("microseconds")
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": _DURATION_S,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": max([int(lease["spec"].get("leaseTransitions") or 0), *known]) + 1,
        }
        by = {"user": USER, "host": self._host, "run_id": self._run, "action": "return"}
        body = _annotated(lease, {WHO: json.dumps(by, sort_keys=True)})
        self._api.request("PUT", self._watch["lease"] + _LEASES, {**body, "spec": spec})

    def _act(self, token: int) -> None:
        """Return the traffic, look that it holds, record it and give the Lease back."""
        self._say(f"returning traffic to {self._watch['colour']} with token {token}")
        first = {"phase": "return", "purpose": PURPOSE, "token": str(token), "resumes": self._watch["run"]}
        by = {"by": {"user": USER, "host": self._host}, "took_over": self._watch["run"], "inputs": {"dead_man": True}}
        self._record(token, BEGIN, {**first, **by})
        cause = ""
        try:
            for row in self._rows():
                self._move(row, token)
            self._hold(token)
        except LeftError as error:
            cause = str(error)
        self._say(cause or f"traffic is back on {self._watch['colour']}")
        silent = f"Run {self._watch['run']} no longer renewed its Lease."
        verdict = {"verdict": "fail", "code": "dead_man", "cause": f"{silent} {cause}".strip()}
        self._record(token, FINISH, {"outcome": "failed" if cause else "returned", "verdict": verdict})
        self._give_back(token)

    def _move(self, row: Row, token: int) -> None:
        def wanted(obj: Object) -> Patch | None:
            place = place_of(row, obj)
            if is_ours(obj, token) and place == HERE:
                return None
            if place not in (HERE, THERE) or token_of(obj) > token:
                raise LeftError(f"Somebody else changed {row['name']}; it was left as it is.")
            if not self._serving(self._watch["serves"]):
                raise LeftError(
                    f"{self._watch['colour']} has no ready endpoint any more; {row['name']} was left as it is."
                )
            return patch_back(row, obj, token, _now("seconds"))

        self._write(row["path"], _TRAFFIC, wanted)

    def _hold(self, token: int) -> None:
        """Wait until every object is as it was written and only the old colour's pods are behind the Services."""
        until = self._clock() + _HOLD_S
        while True:
            trouble = self._trouble(token)
            if not trouble:
                return
            if self._clock() > until or self._pause(_LOOK_S):
                raise LeftError(trouble)

    def _trouble(self, token: int) -> str:
        try:
            old = self._serving(self._watch["serves"])
            for row in self._rows():
                obj = self._get(row["path"])
                if place_of(row, obj) != HERE or not is_ours(obj, token):
                    return f"Somebody else changed {row['name']} after traffic was returned."
                behind = self._serving(row["service"]) if row["service"] else old
                if not behind or not behind <= old:
                    return f"{row['name']} does not lead to {self._watch['colour']} alone."
        except ApiError as error:
            return str(error)
        return ""

    def _serving(self, service: str) -> frozenset[str]:
        label = quote(f"kubernetes.io/service-name={service}", safe="")
        return ready_of(self._get(f"{self._watch['slices']}?labelSelector={label}")["items"])

    def _record(self, token: int, event: str, values: Mapping[str, Any]) -> None:
        """An entry of the journal. A journal that cannot be written does not keep traffic from being returned."""

        def wanted(found: Object) -> dict[str, Any] | None:
            before = journal_from(found.get("data"))
            known = any(row.get("run") == self._run and row.get("event") == event for row in before.entries())
            if known or token_of(found) > token:
                return None
            journal = before.with_entry({"at": _now("milliseconds"), "run": self._run, "event": event, **values})
            return {**_annotated(found, {TOKEN: str(token)}), "data": journal.as_data()}

        self._write_or_tell(self._watch["journal"], _JOURNAL, wanted)

    def _give_back(self, token: int) -> None:
        """It stays, because its token must go on growing."""

        def wanted(lease: Object) -> dict[str, Any] | None:
            spec = lease["spec"]
            if spec.get("holderIdentity") != self._identity or spec.get("leaseTransitions") != token:
                return None
            free = {key: value for key, value in spec.items() if key != "holderIdentity"}
            return {**_annotated(lease, {}), "spec": free}

        self._write_or_tell(self._watch["lease"], _LEASES, wanted)

    def _write_or_tell(self, path: str, manager: str, wanted: Wanted) -> None:
        try:
            self._write(path, manager, wanted)
        except LeftError as error:
            self._say(str(error))

    def _write(self, path: str, manager: str, wanted: Wanted) -> None:
        """Write what ``wanted`` makes of the object as read, until it wants nothing: a list is a JSON patch.

        Raises LeftError when the server refuses, ApiError when it is away for long.
        """
        for _try in range(_TRIES):
            body = wanted(self._patiently(path))
            if body is None:
                return
            kind = ("PATCH", JSON_PATCH) if isinstance(body, list) else ("PUT", JSON)
            try:
                self._api.request(kind[0], path + manager, body, kind[1])
            except ApiError as error:
                if not error.passing and error.status not in _CHANGED:
                    raise LeftError(str(error)) from error
                self._say(str(error))
                self._pause(_LOOK_S if error.passing else 0)
        raise LeftError(f"{path} was changed each time between reading and writing.")

    def _patiently(self, path: str) -> Any:
        for _try in range(_TRIES):
            try:
                return self._get(path)
            except ApiError as error:
                if not error.passing:
                    raise LeftError(str(error)) from error
                self._pause(_LOOK_S)
        return self._get(path)

    def _token_at(self, path: str) -> int:
        try:
            return token_of(self._get(path))
        except ApiError as error:
            # A journal that was removed keeps nobody from returning traffic.
            if error.status != _GONE:
                raise
            return 0

    def _get(self, path: str) -> Any:
        return self._api.request("GET", path)

    def _rows(self) -> list[Row]:
        return list(self._watch["rows"])


def _annotated(obj: Object, notes: Mapping[str, str]) -> dict[str, Any]:
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), **notes}}}


def _now(digits: str) -> str:
    return datetime.now(timezone.utc).isoformat(timespec=digits).replace("+00:00", "Z")


def main() -> int:
    """Run in the pod: settings and the sign of being ready are files that the variables name."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    log = logging.getLogger(__name__)
    watch = json.loads(Path(os.environ["DEAD_MAN_WATCH"]).read_text(encoding="utf-8"))
    man = DeadMan(
        Api(),
        watch,
        pause=stop.wait,
        say=lambda line: log.info("%s %s", _now("seconds"), line),
        ready=Path(os.environ["DEAD_MAN_READY"]).touch,
    )
    return man.run()


if __name__ == "__main__":
    raise SystemExit(main())
