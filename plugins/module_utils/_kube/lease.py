# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of an app: a Lease that one run holds, and the fencing token that comes with it; reference section 2.2.

The token is ``leaseTransitions``: it grows with every new holder. Whether a holder's time is over is judged on the
observer's own monotonic clock, by a ``renewTime`` that stays as it is; clocks of two machines are never compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import JSON_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.held import Held, lease_path
from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import Holder, holder_from

WHO = "golive.cutover/holder"
_MANAGER = "golive-lease"
_LOOK_S = 1.0
_REQUEST_S = 5.0
# What a race of two writers answers: look again.
_RACED = ("conflict", "already_exists")


@dataclass(frozen=True)
class Wish:
    """Who wants a Lease: ``identity`` of this run alone, ``about`` for whoever is refused, ``duration`` in seconds."""

    namespace: str
    name: str
    identity: str
    holder: Holder
    about: Mapping[str, str]
    duration: int
    take_over: bool


@dataclass(frozen=True)
class Acquired:
    """``clean``: nobody held it, so that no worker of an earlier run can be left at work."""

    held: Held
    clean: bool


def read_lease(client: Client, namespace: str, name: str) -> dict[str, Any] | None:
    """The Lease as it is; None when it was never held."""
    return client.get_or_none(lease_path(namespace, name))


def said_of(lease: Mapping[str, Any]) -> dict[str, Any]:
    """Who holds it: ``user, host, pid, job, run_id, action, since, renewed, token``; empty when nobody does."""
    spec = lease["spec"]
    if not spec.get("holderIdentity"):
        return {}
    row = _who(lease)
    holder = holder_from(row)
    return {
        "user": holder.user,
        "host": holder.host,
        "pid": holder.pid,
        "job": holder.job,
        "run_id": str(row.get("run_id") or spec["holderIdentity"]),
        "action": str(row.get("action") or ""),
        "since": spec.get("acquireTime"),
        "renewed": spec.get("renewTime"),
        "token": str(spec.get("leaseTransitions") or 0),
    }


def acquire(call: Call, client: Client, wish: Wish, least: int) -> Acquired:
    """Hold the Lease with a token above ``least``, which is the highest that is known beside it.

    A holder that is seen to live is refused at once with GoliveError ``locked``. One whose process has ended on this
    machine is replaced at once; any other one after its own duration without a renewal, and at once with ``take_over``.
    """
    first = read_lease(client, wish.namespace, wish.name)
    watch = _Watch(call, first)

    def look() -> Done[Acquired] | Failed | Pending:
        seen = watch.seen(read_lease(client, wish.namespace, wish.name))
        spec = (seen or {}).get("spec") or {}
        if spec.get("holderIdentity") == wish.identity:
            # The answer to our own write was lost.
            return Done(Acquired(_held(wish, spec), clean=False))
        free = seen is None or not spec.get("holderIdentity")
        if free or wish.take_over or watch.over() or holder_from(_who(seen)).is_gone():
            try:
                written = _take(client, wish, seen, least)
            except GoliveError as error:
                if error.code not in _RACED:
                    raise
                return Pending("somebody else wrote it at the same moment")
            return Done(Acquired(_held(wish, written["spec"]), clean=free))
        if watch.renewed or holder_from(_who(seen)).is_running():
            return Failed(_locked(wish, seen or {}))
        return Pending(f"held by {holder_from(_who(seen)).said()}, no sign of life for {watch.quiet():.0f} s")

    what = f"the lock {wish.name} in namespace {wish.namespace}"
    return wait_for(call, look, what=what, timeout=watch.duration + 60.0, interval=_LOOK_S)


def renew(client: Client, held: Held) -> float:
    """Renew the Lease if it is still held; returns its duration in seconds.

    Raises GoliveError ``lease_lost``, or what kept the server from answering.
    """
    patch = [
        {"op": "test", "path": "/spec/holderIdentity", "value": held.holder},
        {"op": "test", "path": "/spec/leaseTransitions", "value": int(held.token)},
        {"op": "add", "path": "/spec/renewTime", "value": _now()},
    ]
    query = {"fieldManager": _MANAGER}
    try:
        lease = client.request(
            "PATCH", held.path, query=query, body=patch, content_type=JSON_PATCH, retry=False, timeout=_REQUEST_S
        )
    except GoliveError as error:
        if error.code in ("invalid", "not_found", "conflict"):
            verify(client, held)
        raise
    return float(lease["spec"]["leaseDurationSeconds"])


def verify(client: Client, held: Held) -> dict[str, Any]:
    """The Lease if it is still held; raises GoliveError ``lease_lost``. Writes nothing."""
    lease = read_lease(client, held.namespace, held.name)
    if lease is None or not held.is_in(lease):
        raise lost(held, lease)
    return lease


def release(client: Client, held: Held) -> None:
    """Give the Lease back. It stays, because its token must go on growing. Raises GoliveError ``lease_lost``."""
    lease = verify(client, held)
    while lease["spec"].get("holderIdentity"):
        spec = {**lease["spec"], "renewTime": _now()}
        del spec["holderIdentity"]
        try:
            lease = client.request("PUT", held.path, query={"fieldManager": _MANAGER}, body={**lease, "spec": spec})
        except GoliveError as error:
            # Another write was under way: a renewal, a successor, or our own whose answer was lost.
            if error.code != "conflict":
                raise
            lease = client.get(held.path)
            if lease["spec"].get("holderIdentity") or str(lease["spec"].get("leaseTransitions")) != held.token:
                lease = verify(client, held)


def lost(held: Held, lease: Mapping[str, Any] | None) -> GoliveError:
    """This run's right to write is gone; ``lease`` is what tells who has it or had it last, if it could be read."""
    by = said_of(lease) if lease else {}
    token = str(((lease or {}).get("spec") or {}).get("leaseTransitions") or held.token)
    last = holder_from(_who(lease))
    who = "nobody holds it now"
    if by:
        who = f"{by['user']} on {by['host']} holds it now with token {by['token']}"
    elif token != held.token:
        who = f"{last.user} on {last.host} took it with token {token} and gave it back"
    return GoliveError(
        "lease_lost",
        f"Stopped: this run no longer holds the lock {held.name} in namespace {held.namespace} (token {held.token});"
        f" {who}.",
        "Look at what is live (playbook status), then run again. What this run had begun, the other one finishes.",
        {"held_by": dict(by)},
    )


class _Watch:
    """Whether a Lease shows a sign of life, on this process's own clock."""

    def __init__(self, call: Call, lease: Mapping[str, Any] | None) -> None:
        self._call = call
        self._since = call.now()
        self._mark = _mark(lease)
        self.duration = float(((lease or {}).get("spec") or {}).get("leaseDurationSeconds") or 0)
        self.renewed = False

    def seen(self, lease: dict[str, Any] | None) -> dict[str, Any] | None:
        if _mark(lease) != self._mark:
            self._mark, self._since, self.renewed = _mark(lease), self._call.now(), True
        return lease

    def quiet(self) -> float:
        return self._call.now() - self._since

    def over(self) -> bool:
        return not self.renewed and self.quiet() > self.duration


def _mark(lease: Mapping[str, Any] | None) -> tuple[Any, ...]:
    spec = (lease or {}).get("spec") or {}
    return tuple(spec.get(key) for key in ("holderIdentity", "leaseTransitions", "renewTime"))


def _take(client: Client, wish: Wish, seen: dict[str, Any] | None, least: int) -> dict[str, Any]:
    before: dict[str, Any] = (seen or {}).get("spec") or {}
    now = _now()
    spec = {
        "holderIdentity": wish.identity,
        "leaseDurationSeconds": wish.duration,
        "acquireTime": now,
        "renewTime": now,
        "leaseTransitions": max(int(before.get("leaseTransitions") or 0), least) + 1,
    }
    query = {"fieldManager": _MANAGER}
    who = json.dumps({**wish.holder.as_dict(), **wish.about}, sort_keys=True)
    if seen is None:
        meta = {"name": wish.name, "namespace": wish.namespace, "annotations": {WHO: who}}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
        return client.request("POST", lease_path(wish.namespace), query=query, body=body)
    meta = {**seen["metadata"], "annotations": {**(seen["metadata"].get("annotations") or {}), WHO: who}}
    meta.pop("managedFields", None)
    return client.request(
        "PUT", lease_path(wish.namespace, wish.name), query=query, body={**seen, "metadata": meta, "spec": spec}
    )


def _held(wish: Wish, spec: Mapping[str, Any]) -> Held:
    return Held(wish.namespace, wish.name, str(spec["leaseTransitions"]), wish.identity)


def _locked(wish: Wish, lease: Mapping[str, Any]) -> GoliveError:
    by = said_of(lease)
    holder = holder_from(_who(lease))
    return GoliveError(
        "locked",
        f"Taking the lock {wish.name} in namespace {wish.namespace} was refused: {holder.said()} holds it since"
        f" {by['since']} (run {by['run_id']}, {by['action'] or 'no action named'}, last renewal {by['renewed']}).",
        "Let that run end. If it must be stopped, run again with take_over: true (role release:"
        " -e release_take_over=true); its next write is then refused by the server.",
        {"held_by": by},
    )


def _who(lease: Mapping[str, Any] | None) -> dict[str, Any]:
    text = (((lease or {}).get("metadata") or {}).get("annotations") or {}).get(WHO) or "{}"
    try:
        row = json.loads(text)
    except ValueError:
        row = {}
    return row if isinstance(row, dict) else {}


def _now() -> str:
    """The MicroTime of the Kubernetes API, which wants all six digits."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
