# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_switch``: fence the live server, measure what the other one lacks, lead the Service there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.commits import (
    Copied,
    commits_behind,
    copied_from,
    next_transaction,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.fence import fence, fenced, hold_alone, lift
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached
from ansible_collections.golive.cutover.plugins.module_utils._reach.live_server import (
    KEPT,
    POD_NAME,
    Kept,
    LiveServer,
    beside_of,
    claim_of,
    pod_of,
    read_live,
)

_MANAGER = "golive-switch"
_STATEMENT_S = 600.0
_FOLLOW_S = 60.0
_GONE_S = 60.0
# Others may write annotations of the Service at the same time.
_TRIES = 5
_SLICE_OF = "kubernetes.io/service-name"


def pg_switch(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    with connected(call) as client:
        return _Switch(call, client).run()


class _Switch:
    def __init__(self, call: Call, client: Client) -> None:
        self._call = call
        self._client = client
        self._namespace: str = call.params["namespace"]
        self._name: str = call.params["service"]
        self._path = client.path_of("v1", "Service", self._namespace, self._name)

    def run(self) -> dict[str, Any]:
        """Look, and do what was asked; nothing is written in check mode."""
        live = read_live(self._client, self._namespace, self._name)
        state, to = self._call.params["state"], self._call.params["to"]
        if state == "settled":
            return self._settled(live)
        if not to:
            return self._told(live)
        if live.service is None:
            raise GoliveError("not_found", f"Switching to {to} failed: there is no Service {self._name}.")
        if live.server == to:
            return self._stayed(live)
        return self._switched(live, to)

    def _told(self, live: LiveServer, **others: Any) -> dict[str, Any]:
        result = {
            "changed": False,
            "live": live.server if live.service else None,
            "beside": beside_of(live.server, self._name),
            "pinned": live.pinned,
            "kept": asdict(live.kept) | self._volume(live.kept) if live.kept else None,
            "transactions_lost": None,
            "downtime_ms": None,
            **others,
        }
        return result | ({"diff": []} if self._call.diff_mode and "diff" not in result else {})

    def _volume(self, kept: Kept) -> dict[str, Any]:
        """The claim of a server that was left, and the name of its volume."""
        found = self._claim(kept)
        return {"claim": claim_of(kept.server), "volume": (found or {}).get("spec", {}).get("volumeName")}

    def _claim(self, kept: Kept) -> dict[str, Any] | None:
        return self._client.get_or_none(self._claim_path(kept))

    def _claim_path(self, kept: Kept) -> str:
        return self._client.path_of("v1", "PersistentVolumeClaim", self._namespace, claim_of(kept.server))

    def _stayed(self, live: LiveServer) -> dict[str, Any]:
        """Nothing to move; a fence that an interrupted run has left on the live server is lifted."""
        with self._session(live.server) as session:
            closed = bool(fenced(session))
            if closed and not self._call.check_mode:
                hold_alone(self._call, session)
                # Whoever had it may have led clients away meanwhile, and the server that was left stays closed.
                if read_live(self._client, self._namespace, self._name).server != live.server:
                    raise self._changed(live.server)
                lift(session)
        if not self._call.check_mode:
            self._await_clients(live.server)
        lost = live.kept.lost if live.kept else None
        return self._told(live, changed=closed, transactions_lost=lost)

    def _switched(self, live: LiveServer, to: str) -> dict[str, Any]:
        back = live.kept is not None and live.kept.server == to
        if live.kept is not None and not back:
            raise GoliveError(
                "kept",
                f"Switching to {to} was refused: {live.kept.server} is still kept as the way back from {live.server}.",
                "Return to it, or settle.",
                {"kept": asdict(live.kept) | self._volume(live.kept)},
            )
        copied = Copied(live.kept.since) if live.kept and back else self._copied()
        if not live.pinned and not self._call.check_mode:
            raise GoliveError(
                "not_pinned",
                f"Switching to {to} was refused: the selector of Service {self._name} names no pod, so that it may"
                " lead to both servers.",
                f"Have the role postgres bring it, or add {POD_NAME} to its selector.",
            )
        diff = [diff_of(f"Service {self._name}", {"server": live.server}, {"server": to})]
        more = {"diff": diff} if self._call.diff_mode else {}
        with self._session(live.server) as old:
            lost = self._accepted(old, copied, to)
            if self._call.check_mode:
                return self._told(live, changed=True, transactions_lost=lost, **more)
            with self._session(to) as new:
                began = self._call.now()
                by = "return" if back else "restore"
                kept = self._move(live, to, old, new, copied, by)
        self._await_clients(to)
        took = round((self._call.now() - began) * 1000)
        now = read_live(self._client, self._namespace, self._name)
        return self._told(now, changed=True, transactions_lost=kept.lost, downtime_ms=took, **more)

    def _copied(self) -> Copied:
        row = self._call.params["ends_at"]
        if not row:
            raise GoliveError(
                "invalid",
                "Switching needs ends_at, which tells what the other server lacks.",
                "Hand over ends_at of the result of pg_restore.",
            )
        return copied_from(row)

    def _move(self, live: LiveServer, to: str, old: Session, new: Session, copied: Copied, by: str) -> Kept:
        """From the fence to the Service; whatever ends it before that opens the old server again."""
        self._call.progress(f"fencing {live.server}")
        hold_alone(self._call, old)
        try:
            fence(self._call, old)
            lost = self._accepted(old, copied, to)
            lift(new)
            kept = Kept(live.server, by, self._call.params["reason"], next_transaction(new), lost)
            self._lead(live, to, kept)
        except (GoliveError, Interrupted):
            self._undo(live)
            raise
        return kept

    def _undo(self, live: LiveServer) -> None:
        """Lift the fence unless the Service has moved: an answer that was lost tells nothing."""
        call = self._call.for_undo()
        try:
            if read_live(self._client.undisturbed(), self._namespace, self._name).server == live.server:
                with self._session(live.server, call) as session:
                    lift(session)
        except GoliveError as error:
            # Why it came to that is worth more.
            call.warn(f"{live.server} may still be fenced; the same call again goes on: {error.message}")

    def _accepted(self, old: Session, copied: Copied, to: str) -> int | None:
        """Committed transactions that would be lost. Raises ``loss_not_accepted``."""
        lost = commits_behind(old, copied, fenced(old))
        most = self._call.params["accept_loss"]
        if most < 0 or (lost is not None and lost <= most):
            return lost
        told = f"{lost} committed transactions" if lost is not None else "an unknown number of committed transactions"
        raise GoliveError(
            "loss_not_accepted",
            f"Switching to {to} was refused: it lacks {told} of the live server, and at most {most} were accepted.",
            f"Set accept_loss to {lost} or more when they may be lost."
            if lost is not None
            else "It is on another timeline, so that they cannot be counted; accept_loss -1 takes any loss.",
            {"transactions_lost": lost},
        )

    def _lead(self, live: LiveServer, to: str, kept: Kept) -> None:
        """The one write that moves clients: selector and what is kept, against what was read."""
        service: Mapping[str, Any] | None = live.service
        for _try in range(_TRIES):
            if service is None or (service["spec"].get("selector") or {}).get(POD_NAME) != pod_of(live.server):
                break
            try:
                self._write(service, {POD_NAME: pod_of(to)}, json.dumps(asdict(kept), sort_keys=True))
                return
            except GoliveError as error:
                if error.code != "conflict":
                    raise
            service = self._client.get_or_none(self._path)
        raise self._changed(to)

    def _changed(self, to: str) -> GoliveError:
        text = f"Switching to {to} was refused: somebody else has changed Service {self._name} meanwhile."
        return GoliveError("changed", text, "Look at it, then run again.")

    def _write(self, service: Mapping[str, Any], selector: Mapping[str, str] | None, kept: str | None) -> None:
        self._call.alive()
        meta = {"resourceVersion": service["metadata"]["resourceVersion"], "annotations": {KEPT: kept}}
        body: dict[str, Any] = {"metadata": meta}
        if selector:
            body["spec"] = {"selector": dict(selector)}
        self._client.request("PATCH", self._path, query={"fieldManager": _MANAGER}, body=body, content_type=MERGE_PATCH)

    def _await_clients(self, server: str) -> None:
        """Wait until the Service leads to the pod of the server, and to no other."""
        path = self._client.path_of("discovery.k8s.io/v1", "EndpointSlice", self._namespace)
        query = {"labelSelector": f"{_SLICE_OF}={self._name}"}

        def look() -> Done[None] | Pending:
            rows = [one for slice_ in self._client.list(path, query) for one in slice_.get("endpoints") or []]
            ready = {
                str((one.get("targetRef") or {}).get("name"))
                for one in rows
                if (one.get("conditions") or {}).get("ready") is not False
            }
            return (
                Done(None) if ready == {pod_of(server)} else Pending(f"leads to {', '.join(sorted(ready)) or 'none'}")
            )

        wait_for(self._call, look, what=f"Service {self._name} to lead to {server}", timeout=_FOLLOW_S, interval=0.1)

    def _settled(self, live: LiveServer) -> dict[str, Any]:
        """Give up the way back: the claim by the name of its volume, then the note of it."""
        if live.kept is None or live.service is None:
            return self._told(live)
        found = self._claim(live.kept)
        volume = (found or {}).get("spec", {}).get("volumeName")
        if found is not None and volume != self._call.params["discard"]:
            raise GoliveError(
                "volume_not_named",
                f"Settling was refused: it deletes the volume {volume} of {live.kept.server} with all that is in it.",
                f"Set discard to {volume}.",
                {"volume": volume},
            )
        header = f"way back from {live.server}"
        more = {"diff": [diff_of(header, asdict(live.kept), None)]} if self._call.diff_mode else {}
        if not self._call.check_mode:
            if found is not None:
                self._delete(live.kept, found)
            self._write(live.service, None, None)
        return self._told(replace(live, kept=None), changed=True, **more)

    def _delete(self, kept: Kept, found: Mapping[str, Any]) -> None:
        uid = found["metadata"]["uid"]
        self._call.alive()
        self._client.request("DELETE", self._claim_path(kept), body={"preconditions": {"uid": uid}})

        def look() -> Done[None] | Pending:
            left = self._claim(kept)
            return Done(None) if left is None or left["metadata"]["uid"] != uid else Pending("a pod still uses it")

        wait_for(self._call, look, what=f"the volume of {kept.server} to be gone", timeout=_GONE_S)

    @contextmanager
    def _session(self, server: str, call: Call | None = None) -> Iterator[Session]:
        """A session of the superuser, straight to the pod of a server whatever the Service leads to."""
        tunnel = {"namespace": self._namespace, "pod": pod_of(server), "service": None, "port": "5432"}
        own = call or self._call
        with reached(replace(own, params={**own.params, "tunnel": tunnel})) as reach:
            limits = Limits(statement=_STATEMENT_S)
            with connect(reach.call, reach.where, limits=limits) as session:
                yield session
