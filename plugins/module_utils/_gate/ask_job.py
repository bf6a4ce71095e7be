# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``job``: one run of a Kubernetes Job for each gate, judged by how it ended and by what it wrote."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    FAILED,
    INFRA_NOISE,
    LOW_SAMPLE,
    OPEN,
    PASSED,
    PROVIDER_DOWN,
    Look,
    compare,
    of_way,
    plain_value,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import parse_path, value_at
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import delete_job, run_job

_LOG_LINES = 20
_END_S = 30.0
_BEYOND_S = 1.0


def begin(check: Mapping[str, Any], reach: Reach) -> Callable[[], Look]:
    """Start the Job with the first look; the looks after it tell whether it has ended."""
    run = _Run(check, reach)
    reach.on_close(run.close)
    return run.look


class _Run:
    """The Job in a thread of its own: other checks do not wait for it, and leaving the gate ends it."""

    def __init__(self, check: Mapping[str, Any], reach: Reach) -> None:
        self._check = check
        self._reach = reach
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"job {check['name']}", daemon=True)
        self._started = False
        self._look = Look(False, "no answer from the API server yet", reason=PROVIDER_DOWN, verdict=OPEN)
        self._fatal: GoliveError | None = None

    def look(self) -> Look:
        if not self._started:
            self._started = True
            self._thread.start()
        if self._fatal:
            raise self._fatal
        return self._look

    def close(self) -> None:
        """End a Job that still runs; it is deleted then."""
        self._left.set()
        if self._started:
            self._thread.join(_END_S)

    def _work(self) -> None:
        try:
            self._look = self._ended()
        except Interrupted:
            return
        except GoliveError as error:
            self._fatal = error

    def _ended(self) -> Look:
        call = self._own_call()
        if call.check_mode:
            return Look(True, "not run in check mode", verdict=PASSED)
        # A client of its own, whose waits end with the gate.
        with connected(call) as client:
            try:
                result = run_job(call, client)
            except GoliveError as error:
                if error.details.get("job"):
                    delete_job(client.undisturbed(), error.details["job"])
                return _failed(error)
            delete_job(client.undisturbed(), result["job"])
            return _judged(self._check, result)

    def _goes_on(self, _text: str, _done: int | None, _total: int | None) -> None:
        self._look = Look(False, "the Job runs", reason=LOW_SAMPLE, verdict=OPEN)

    def _own_call(self) -> Call:
        outer = self._reach.call

        def alive() -> None:
            outer.alive()
            if self._left.is_set():
                raise Interrupted("the gate has ended")

        params = {
            **outer.params,
            "definition": self._check["definition"],
            "namespace": self._check["namespace"],
            "timeout": self._check["timeout"],
            "rerun": True,
            "ttl": None,
            "log_lines": _LOG_LINES,
            "limits": None,
        }
        return replace(
            outer,
            params=params,
            show=self._goes_on,
            alive=alive,
            # A gate that is extended at its end must find the Job still followed.
            deadline=lambda: outer.deadline() + _BEYOND_S,
        )


def _judged(check: Mapping[str, Any], result: Mapping[str, Any]) -> Look:
    lines = result["log_tail"]
    values: dict[str, Any] = {"exit_code": result["exit_code"], "log_tail": lines, "job": result["job"]["name"]}
    faults = []
    if check["contains"] is not None and not any(check["contains"] in line for line in lines):
        faults.append(f"its last {_LOG_LINES} log lines do not contain {check['contains']!r}")
    if check["expect"]:
        told = _json_line(lines)
        if not told:
            faults.append("no line of its log is a JSON object")
        for rule in check["expect"] if told else []:
            found = plain_value(value_at(told, parse_path(rule["name"])))
            values[rule["name"]] = found
            faults.append(compare(rule["name"], found, rule))
    wrong = [fault for fault in faults if fault]
    seen = "; ".join(wrong) or f"the Job succeeded in {result['seconds']:g} s"
    return Look(not wrong, seen, result["seconds"], values, verdict=FAILED if wrong else PASSED)


def _json_line(lines: list[str]) -> dict[str, Any]:
    """The last line that is a JSON object, which is a Job's result; empty without one."""
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _failed(error: GoliveError) -> Look:
    verdict = error.details.get("verdict")
    if verdict is None:
        look = of_way(error)
        return replace(look, verdict=OPEN if look.reason else FAILED)
    values: dict[str, Any] = {key: error.details[key] for key in ("exit_code", "log_tail") if key in error.details}
    log = error.details.get("log_tail") or []
    seen = f"{error.message}{f' Last line: {log[-1]}' if log else ''}"
    if verdict == "inconclusive":
        return Look(False, seen, None, values, INFRA_NOISE, OPEN)
    return Look(False, seen, error.details.get("seconds"), values, verdict=FAILED)
