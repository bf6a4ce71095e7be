# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback ``timeline``: a report of each run from its task results."""

from __future__ import annotations

DOCUMENTATION = r"""
name: timeline
type: aggregate
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
short_description: Write a report of each run as a page and as data
description:
  - Writes one HTML page and one JSON file per run, and prints one line per host and the page's link at the end.
  - It works beside any stdout callback.
  - The page needs nothing from outside. It shows the phases of each host, traffic and latency over time with each
    switch marked, the gates with their numbers, measured downtime, proof, hazards, migrations, and who ran what.
  - The phase of a task is what follows C(release_) in one of its tags, C(verify) for C(release_verify). A task without
    such a tag counts for its role.
  - Of a task with C(no_log) the report holds name, status and seconds only. Of extra variables it holds the names.
  - A run that was interrupted has a report that says so. When the run could not write it, the next run that uses the
    same directory does.
  - Both files can be read by their owner only. A run of 10,000 tasks takes less than 5 MB.
  - It also loads filters, tests and lookups once for all tasks, each of which would load them anew.
requirements:
  - enable it in C(callbacks_enabled)
options:
  directory:
    description: Directory of the reports. It is created for its owner alone. Older reports stay there.
    type: path
    default: ~/.local/state/golive-cutover/timeline
    env:
      - name: GOLIVE_REPORT_DIR
    ini:
      - section: golive
        key: report_dir
  path:
    description: JSON file of the report, instead of a new one in O(directory). The page is put beside it.
    type: path
    env:
      - name: GOLIVE_TIMELINE_PATH
    ini:
      - section: golive
        key: timeline_path
  summary:
    description: Whether to print the lines at the end.
    type: bool
    default: true
    env:
      - name: GOLIVE_TIMELINE_SUMMARY
    ini:
      - section: golive
        key: timeline_summary
"""

import atexit
import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as core_version

from ansible_collections.golive.cutover.plugins.module_utils._core.files import write_whole
from ansible_collections.golive.cutover.plugins.module_utils._core.plain import plain
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text, mask_value
from ansible_collections.golive.cutover.plugins.plugin_utils._report import FAILED, INTERRUPTED, OK, Report, replayed
from ansible_collections.golive.cutover.plugins.plugin_utils._report_evidence import evidence_of
from ansible_collections.golive.cutover.plugins.plugin_utils._report_journal import (
    SUFFIX,
    Journal,
    left_behind,
)
from ansible_collections.golive.cutover.plugins.plugin_utils._report_page import page
from ansible_collections.golive.cutover.plugins.plugin_utils._report_run import identity, secrets_of
from ansible_collections.golive.cutover.plugins.plugin_utils._report_summary import summary
from ansible_collections.golive.cutover.plugins.plugin_utils._shared_plugins import share_plugins
from ansible_collections.golive.cutover.plugins.plugin_utils._timeline import MESSAGE_LENGTH, phase_of


def _name_of(task: Any) -> str:
    """The task's name without its role's; an include_role has no way to leave that out.

    Core has filled in the variables by then. With no_log the name is taken as it is written.
    """
    written = task.get_ds() if task.no_log else None
    if written is not None:
        return str(written.get("name") or task.action)
    try:
        return str(task.get_name(include_role_fqcn=False))
    except TypeError:
        return str(task.get_name())


class CallbackModule(CallbackBase):
    """Collects results; it writes the report and its journal only, and a failure to write them is a warning."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "golive.cutover.timeline"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display: Any = None) -> None:
        super().__init__(display=display)
        self._report = Report()
        self._begin = time.monotonic()
        self._began_at = datetime.now(timezone.utc)
        self._process = os.getpid()
        self._playbook = "playbook"
        self._play = ""
        self._starts: dict[tuple[str, str], float] = {}
        self._secrets: frozenset[str] = frozenset()
        self._journal: Journal | None = None
        self._done = True

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._playbook = Path(playbook._file_name).name
        self._done = False
        try:
            self._finish_others()
            self._journal = Journal(self._directory() / f"{self._stem()}{SUFFIX}")
        except OSError as error:
            self._display.vv(f"Writing the timeline's journal failed: {error}")
        # Ctrl-C ends the run without v2_playbook_on_stats.
        atexit.register(self._interrupted)
        for trouble in share_plugins():
            self._display.vv(f"A plugin could not be loaded for all tasks: {trouble}")

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play.get_name()
        if not self._report.identity:
            extra = plain(play.get_variable_manager().extra_vars)
            self._secrets = secrets_of(extra)
            known = identity(context.CLIARGS, extra, core_version)
            started = self._began_at.isoformat(timespec="milliseconds")
            self._tell("run", {"playbook": self._playbook, "started": started, **known})

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._starts[host.get_name(), task._uuid] = self._now()
        self._tell(
            "begin",
            {
                "host": host.get_name(),
                "key": task._uuid,
                "task": mask_text(_name_of(task), self._secrets),
                "phase": _phase_of(task),
                "at_s": self._now(),
            },
        )

    def v2_runner_on_ok(self, result: Any) -> None:
        self._add(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._add(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._add(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._tell("skip", self._entry(result, "skipped", self._now()))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        bad = any(one["failures"] or one["unreachable"] for one in hosts.values())
        self._close(FAILED if bad else OK, hosts)

    def _interrupted(self) -> None:
        # A worker is a fork, and so has this handler too.
        if not self._done and os.getpid() == self._process:
            self._close(INTERRUPTED, {})

    def _close(self, outcome: str, hosts: dict[str, Any]) -> None:
        self._done = True
        report = self._report.data(outcome, self._now(), hosts)
        try:
            place = self._place()
            shown = _write(place, report)
            if self._journal is not None:
                self._journal.remove()
        except OSError as error:
            self._display.warning(f"Writing the timeline failed: {error}")
            return
        if self.get_option("summary"):
            self._display.banner(f"TIMELINE {self._now():.1f} s")
            for line in summary(self._report.timeline, report):
                self._display.display(line)
            self._display.display(f"report: {shown.absolute().as_uri()}")

    def _finish_others(self) -> None:
        """Write the reports of runs that were killed in this directory."""
        for place, lines in left_behind(self._directory()):
            gone = replayed(lines)
            if gone.identity:
                data = gone.data(INTERRUPTED, gone.last_s, {})
                shown = _write(place.with_suffix(".json"), data)
                self._display.display(f"An earlier run was killed; its report: {shown.absolute().as_uri()}")

    def _add(self, result: Any, status: str) -> None:
        now = self._now()
        entry = self._entry(result, status, now)
        self._tell("end", entry)
        if result._task.no_log or "censored" in result._result:
            return
        action = getattr(result._task, "resolved_action", None) or result._task.action
        common = {"host": entry["host"], "phase": entry["phase"], "task": entry["task"], "status": status, "at_s": now}
        for one in evidence_of(action, result._result):
            began, ended = round(entry["started_s"], 3), round(now, 3)
            self._tell("evidence", {**mask_value(one, self._secrets), **common, "began_s": began, "ended_s": ended})

    def _entry(self, result: Any, status: str, now: float) -> dict[str, Any]:
        task, host = result._task, result._host.get_name()
        entry = {
            "host": host,
            "key": task._uuid,
            "play": self._play,
            "phase": _phase_of(task),
            "role": task._role.get_name() if task._role else None,
            "task": mask_text(_name_of(task), self._secrets),
            "action": task.action,
            "started_s": self._starts.pop((host, task._uuid), now),
            "status": status,
            "at_s": now,
        }
        found = result._result
        if not task.no_log and "censored" not in found and status != "skipped":
            timings = found.get("timings")
            entry["timings"] = plain(timings) if isinstance(timings, dict) else None
            if status not in ("ok", "changed"):
                entry["code"] = str(found["code"]) if isinstance(found.get("code"), str) else None
                entry["message"] = mask_text(str(found.get("msg", "")), self._secrets)[:MESSAGE_LENGTH]
        return entry

    def _tell(self, event: str, fields: dict[str, Any]) -> None:
        self._report.apply(event, fields)
        if self._journal is not None:
            try:
                self._journal.write(event, fields)
            except OSError as error:
                self._journal = None
                self._display.vv(f"Writing the timeline's journal failed: {error}")

    def _now(self) -> float:
        return time.monotonic() - self._begin

    def _directory(self) -> Path:
        path = self.get_option("path")
        directory = Path(path).parent if path else Path(self.get_option("directory"))
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory

    def _stem(self) -> str:
        return f"{self._began_at:%Y%m%dT%H%M%SZ}-{Path(self._playbook).stem}-{self._process}"

    def _place(self) -> Path:
        path = self.get_option("path")
        return Path(path) if path else self._directory() / f"{self._stem()}.json"


def _phase_of(task: Any) -> str:
    return phase_of(task.tags, task._role.get_name() if task._role else None)


def _write(place: Path, report: dict[str, Any]) -> Path:
    """Both files; returns the page's path. Raises OSError."""
    beside = place.with_suffix(".html")
    write_whole(place, json.dumps(report, indent=None, separators=(",", ":"), default=str) + "\n")
    write_whole(beside, page(report, place.name))
    return beside
