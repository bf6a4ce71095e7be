# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from its beginning to its end: the lock, the token on what it will write, its entries in the journal."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_value
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import stamped, token_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.held import Held, held_from
from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import Holder, this_holder
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease import (
    Acquired,
    Wish,
    acquire,
    read_lease,
    release,
    renew,
    said_of,
    verify,
)
from ansible_collections.golive.cutover.plugins.module_utils._release.journal import (
    BEGIN,
    FINISH,
    PHASE,
    Journal,
    bounded_value,
)
from ansible_collections.golive.cutover.plugins.module_utils._release.journal_store import Store
from ansible_collections.golive.cutover.plugins.module_utils._release.runs import Run, runs_of, unfinished

_SHORTEST_S = 5
_FIRST = "begin"


class Journaled:
    """The four actions of ``release_journal`` on one app. Each returns the whole result of the verb."""

    def __init__(self, call: Call, client: Client) -> None:
        self._call = call
        self._client = client
        self._params = call.params
        self._namespace: str = call.params["namespace"]
        self._lease = f"{call.params['app']}-golive"
        self._store = Store(call, client, self._namespace, call.params["app"])

    def begin(self) -> dict[str, Any]:
        """Take the lock and write the first entry; raises GoliveError ``locked`` or ``invalid``."""
        if self._params["duration"] < _SHORTEST_S:
            raise GoliveError("invalid", f"Beginning a run was refused: duration is below {_SHORTEST_S} seconds.")
        found = self._objects()
        least = max([self._store.token(), *(token_of(obj) for _path, obj in found)])
        run_id = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        holder = this_holder(self._params["user"], self._params["job"])
        if self._call.check_mode:
            return self._planned(run_id, least)
        before = said_of(read_lease(self._client, self._namespace, self._lease) or {"spec": {}})
        got = acquire(self._call, self._client, self._wish(run_id, holder), least)
        try:
            # Read under the lock: the run before may have ended while this one waited.
            resume = unfinished(runs_of(self._store.read().entries()))
            late = found if resume or not got.clean else []
            marks = [_name(obj) for path, obj in late if stamped(self._client, path, obj, got.held.token)]
            entry = self._first(run_id, holder, got, resume, before)
            journal = self._store.append(entry, got.held.token)
        except BaseException:
            self._give_back(got.held)
            raise
        return self._result(
            journal,
            changed=True,
            run_id=run_id,
            token=got.held.token,
            lease=got.held.as_dict(),
            phase=entry["phase"],
            resume=resume,
            stamped=marks,
            entry=entry,
        )

    def advance(self) -> dict[str, Any]:
        """End the phase under way with its verdict and begin the next; raises GoliveError ``lease_lost``."""
        held = self._held()
        entry = self._entry(_run_of(held), PHASE, phase=self._params["phase"], verdict=self._verdict())
        if self._call.check_mode:
            verify(self._client, held)
            journal = self._store.read()
        else:
            renew(self._client, held)
            journal = self._store.append(entry, held.token)
        return self._of_run(journal, held, entry, phase=self._params["phase"])

    def finish(self) -> dict[str, Any]:
        """Write the outcome and give the lock back. A lock that another run has taken is left alone, with a warning."""
        held = self._held()
        outcome = self._params["outcome"]
        entry = self._entry(_run_of(held), FINISH, outcome=outcome, verdict=self._verdict())
        try:
            verify(self._client, held)
        except GoliveError as error:
            if error.code != "lease_lost":
                raise
            self._call.warn(f"{error.message} The journal was left to the other run.")
            return self._of_run(self._store.read(), held, None, outcome=outcome)
        if self._call.check_mode:
            journal = self._store.read()
        else:
            try:
                journal = self._store.append(entry, held.token)
            finally:
                release(self._client, held)
        return self._of_run(journal, held, entry, outcome=outcome)

    def read(self) -> dict[str, Any]:
        """The last runs, newest first, and who holds the lock."""
        return self._result(self._store.read(), changed=False)

    def _held(self) -> Held:
        held = held_from(self._params["lease"])
        if held is None or (held.namespace, held.name) != (self._namespace, self._lease):
            raise GoliveError(
                "invalid",
                f"Writing to the journal of {self._params['app']} was refused: the option lease is not of this app.",
                "Give what begin returned as lease.",
            )
        return held

    def _wish(self, run_id: str, holder: Holder) -> Wish:
        return Wish(
            self._namespace,
            self._lease,
            f"{holder.user}@{holder.host}/{run_id}",
            holder,
            {"run_id": run_id, "action": self._params["purpose"]},
            self._params["duration"],
            self._params["take_over"],
        )

    def _objects(self) -> list[tuple[str, dict[str, Any]]]:
        """Those of the objects that exist, with their paths."""
        rows: Iterable[Mapping[str, Any]] = self._params["objects"]
        paths = [
            self._client.path_of(row["api_version"], row["kind"], row.get("namespace") or self._namespace, row["name"])
            for row in rows
            if self._client.known(row["api_version"], row["kind"])
        ]
        found = self._client.map(self._client.get_or_none, paths)
        return [(path, obj) for path, obj in zip(paths, found, strict=True) if obj is not None]

    def _give_back(self, held: Held) -> None:
        try:
            release(self._client.undisturbed(), held)
        except GoliveError as error:
            self._call.warn(f"The lock {held.name} was taken and could not be given back: {error.message}")

    def _first(
        self, run_id: str, holder: Holder, got: Acquired, resume: Run | None, before: Mapping[str, Any]
    ) -> dict[str, Any]:
        by = {key: value for key, value in holder.as_dict().items() if key in ("user", "host", "pid", "job") and value}
        return self._entry(
            run_id,
            BEGIN,
            phase=self._params["phase"] or _FIRST,
            purpose=self._params["purpose"],
            token=got.held.token,
            by=by,
            resumes=resume["run_id"] if resume else None,
            took_over=None if got.clean or not before else before["run_id"],
            inputs=bounded_value(mask_value(self._params["inputs"], self._call.secrets)),
        )

    def _verdict(self) -> Any:
        return bounded_value(mask_value(self._params["verdict"], self._call.secrets))

    def _entry(self, run_id: str, event: str, **values: Any) -> dict[str, Any]:
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"at": at, "run": run_id, "event": event, **values}

    def _planned(self, run_id: str, least: int) -> dict[str, Any]:
        journal = self._store.read()
        lease = read_lease(self._client, self._namespace, self._lease)
        if lease and said_of(lease):
            by = said_of(lease)
            self._call.warn(f"{by['user']} on {by['host']} holds the lock {self._lease} now (run {by['run_id']}).")
        transitions = int(((lease or {}).get("spec") or {}).get("leaseTransitions") or 0)
        return self._result(
            journal,
            changed=True,
            run_id=run_id,
            token=str(max(transitions, least) + 1),
            phase=self._params["phase"] or _FIRST,
            resume=unfinished(runs_of(journal.entries())),
        )

    def _of_run(
        self, journal: Journal, held: Held, entry: dict[str, Any] | None, phase: str = "", outcome: str | None = None
    ) -> dict[str, Any]:
        return self._result(
            journal,
            changed=entry is not None,
            run_id=_run_of(held),
            token=held.token,
            lease=held.as_dict() if outcome is None else None,
            phase=phase,
            outcome=outcome,
            entry=entry,
        )

    def _result(self, journal: Journal, *, entry: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
        broken = journal.broken_at()
        lease = read_lease(self._client, self._namespace, self._lease)
        result: dict[str, Any] = {
            "run_id": "",
            "token": "",
            "lease": None,
            "phase": "",
            "outcome": None,
            "resume": None,
            "stamped": [],
            **values,
            "runs": runs_of(journal.entries())[::-1][: self._params["limit"]],
            "lock": said_of(lease) if lease else {},
            "chain": {"intact": broken is None, "broken_at": broken, "entries": len(journal.lines)},
        }
        if self._call.diff_mode:
            result["diff"] = [diff_of(f"ConfigMap {self._namespace}/{self._store.name}", "", entry)] if entry else []
        return result


def _run_of(held: Held) -> str:
    return held.holder.rpartition("/")[2]


def _name(obj: Mapping[str, Any]) -> str:
    return f"{obj.get('kind')} {obj['metadata']['name']}"
