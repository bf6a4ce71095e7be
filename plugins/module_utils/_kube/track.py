# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow objects to success, failure with its cause, or timeout (fail-fast)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_judge import Judge, Seen
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import limits_from
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_patience import Soak, stood
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_ready import COMPLETE
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_report import Report, Scenes
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import KINDS, Target, View, absent

_LOOK_S = 0.5
_GATHER_S = 0.05


def track(
    call: Call,
    client: Client,
    objects: Iterable[Mapping[str, Any]],
    *,
    timeout: float = 300.0,
    soak: float = 10.0,
    seen: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    missing: str = "fail",
    min_count: int = 1,
    job_until: str = COMPLETE,
    log_lines: int = 20,
    namespace: str | None = None,
    watcher: Callable[[Scenes], str] | None = None,
) -> dict[str, Any]:
    """Follow ``objects`` (rows of ``kind, name, namespace``) until all have arrived or one cannot; returns

    ``{verdict, cause, objects, pods, soak, since, seconds}``: verdict ``success``, ``failure``, ``inconclusive`` (cause
    of class I) or ``timeout``; in check mode one look is taken and it is ``success`` or ``pending``. ``cause`` is None
    or ``{code, class, object, namespace, container, message, logs, hint, seconds}``. ``since`` (epoch) is since when
    all pods have stood, None unless they do; with ``pods`` it may come back as ``seen``. ``limits`` as in
    ``track_limits.py``.
    ``watcher`` may add words to the progress line. Raises GoliveError when nothing can be learnt: bad arguments, no
    right, no API server.
    """
    targets = [_target(row, namespace) for row in objects]
    if not targets:
        raise GoliveError("bad_request", "Tracking nothing would always succeed.", "Name at least one object.")
    start = call.now()
    soaking = Soak(0.0 if call.check_mode else soak, client.server_time(), stood(seen, time.time()))
    judge = Judge(limits_from(limits), soaking, missing, min_count, job_until)
    with View(client, targets) as view:
        result = _follow(call, view, judge, start, timeout, watcher)
        if view.unread():
            call.warn(f"Not allowed to list {', '.join(view.unread())}: causes may be told less well.")
        found = Report(call, client, call.now() - start, log_lines).of(*result)
        since = round(time.time() - soaking.seconds, 3) if found["verdict"] == "success" else None
        return {**found, "soak": soaking.seconds, "since": since}


def failure_of(result: Mapping[str, Any]) -> GoliveError | None:
    """The error of a result of ``track`` that is no success (nor the one look of check mode)."""
    cause = result["cause"]
    if cause is None:
        return None
    container = f", container {cause['container']}" if cause["container"] else ""
    where = f"{cause['object']} in namespace {cause['namespace']}{container}"
    ended = {"failure": "failed", "inconclusive": "was inconclusive", "timeout": "timed out"}[result["verdict"]]
    message = f"Rollout {ended} after {result['seconds']:.1f} s: {where}: {cause['message']}"
    return GoliveError(cause["code"], message, cause["hint"], result)


def _target(row: Mapping[str, Any], namespace: str | None) -> Target:
    if row["kind"] not in KINDS:
        raise GoliveError("bad_request", f"Tracking {row['kind']} is not possible.", f"Use one of {', '.join(KINDS)}.")
    return Target(row["kind"], row["name"], row.get("namespace") or namespace or "default")


def _follow(
    call: Call, view: View, judge: Judge, start: float, timeout: float, watcher: Callable[[Scenes], str] | None
) -> tuple[str, Seen, Scenes]:
    fresh_at = 0.0
    while True:
        view.changed.clear()
        now = call.now() - start
        trouble = view.trouble()
        fresh_at = fresh_at if trouble else now
        silent = trouble is not None and now - fresh_at >= judge.limits.api
        if not view.synced:
            if trouble and (silent or now >= timeout):
                raise trouble
            if now >= timeout:
                raise GoliveError("timeout", f"Listing the objects took longer than {timeout:g} s.")
            call.wait(view.changed, _LOOK_S)
            continue
        scenes = view.scenes()
        seen = judge.look(scenes, now)
        if trouble:
            # What is seen is old: it must neither blame nor praise.
            cause = finding(_some_object(scenes), "api_unreachable", trouble.message) if silent else None
            seen = Seen(seen.states, cause, seen.pending)
        verdict = _verdict(call, seen, fresh=trouble is None)
        if verdict is None and now >= timeout:
            verdict = "timeout"
        if verdict:
            return verdict, seen, scenes
        _show(call, seen, watcher(scenes) if watcher else "")
        if call.wait(view.changed, min(_LOOK_S, max(0.0, timeout - now))):
            call.pause(_GATHER_S)


def _verdict(call: Call, seen: Seen, fresh: bool) -> str | None:
    if call.check_mode:
        return "success" if seen.ready else "pending"
    if seen.cause:
        return "inconclusive" if seen.cause.cause_class == "I" else "failure"
    return "success" if seen.ready and fresh else None


def _some_object(scenes: Scenes) -> dict[str, Any]:
    target, scene = next(iter(scenes.items()))
    return scene.obj if scene else absent(target)


def _show(call: Call, seen: Seen, more: str) -> None:
    have = sum(row.have for row in seen.states.values())
    want = sum(row.want for row in seen.states.values())
    waiting = next(((target, row) for target, row in seen.states.items() if not row.ready), None)
    detail = ""
    if waiting:
        named = f"{waiting[0].kind}/{waiting[0].name}: " if len(seen.states) > 1 else ""
        detail = f"; {named}{waiting[1].detail}"
    call.progress(f"{have}/{want} ready{detail}{f'; {more}' if more else ''}", have, want)
