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
short_description: Write when each phase of a run began, how long it took and how it ended
description:
  - Writes one JSON file per run and prints one line per host at the end. It works beside any stdout callback.
  - The phase of a task is what follows C(release_) in one of its tags, C(verify) for C(release_verify). A task without
    such a tag counts for its role.
  - Of a task with C(no_log) the report holds name, status and seconds only.
  - A run that was interrupted writes no report.
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
    description: File of the report, instead of a new one in O(directory).
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

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as core_version

from ansible_collections.golive.cutover.plugins.plugin_utils._timeline import (
    MESSAGE_LENGTH,
    Entry,
    Timeline,
    phase_of,
)

FORMAT = 1


def _name_of(task: Any) -> str:
    """The task's name without its role's; an include_role has no way to leave that out."""
    try:
        return str(task.get_name(include_role_fqcn=False))
    except TypeError:
        return str(task.get_name())


class CallbackModule(CallbackBase):
    """Collects results; the only thing it writes is the report, and a failure to write it is a warning."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "golive.cutover.timeline"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display: Any = None) -> None:
        super().__init__(display=display)
        self._timeline = Timeline()
        self._begin = time.monotonic()
        self._began_at = datetime.now(timezone.utc)
        self._playbook = "playbook"
        self._play = ""
        self._starts: dict[tuple[str, str], float] = {}

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._playbook = Path(playbook._file_name).name

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play.get_name()

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._starts[host.get_name(), task._uuid] = self._now()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._add(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._add(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._add(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._timeline.skip(self._entry(result, "skipped"), self._now())

    def v2_playbook_on_stats(self, stats: Any) -> None:
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        bad = any(one["failures"] or one["unreachable"] for one in hosts.values())
        report = {
            "format": FORMAT,
            "playbook": self._playbook,
            "started": self._began_at.isoformat(timespec="seconds"),
            "seconds": round(self._now(), 3),
            "outcome": "failed" if bad else "ok",
            "check_mode": bool(context.CLIARGS.get("check")),
            "ansible_core": core_version,
            "hosts": hosts,
            **self._timeline.report(),
        }
        try:
            place = self._place()
            _write(place, report)
        except OSError as error:
            self._display.warning(f"Writing the timeline failed: {error}")
            return
        if self.get_option("summary"):
            self._display.banner(f"TIMELINE {self._now():.1f} s")
            for line in self._timeline.summary():
                self._display.display(line)
            self._display.display(f"report: {place}")

    def _add(self, result: Any, status: str) -> None:
        self._timeline.add(self._entry(result, status), self._now())

    def _entry(self, result: Any, status: str) -> Entry:
        task, host = result._task, result._host.get_name()
        entry = Entry(
            host=host,
            play=self._play,
            phase=phase_of(task.tags, task._role.get_name() if task._role else None),
            role=task._role.get_name() if task._role else None,
            task=_name_of(task),
            action=task.action,
            started_s=self._starts.pop((host, task._uuid), self._now()),
            status=status,
        )
        found = result._result
        if not task.no_log and "censored" not in found and status != "skipped":
            entry.timings = found["timings"] if isinstance(found.get("timings"), dict) else None
            if status not in ("ok", "changed"):
                entry.code = found["code"] if isinstance(found.get("code"), str) else None
                entry.message = str(found.get("msg", ""))[:MESSAGE_LENGTH]
        return entry

    def _now(self) -> float:
        return time.monotonic() - self._begin

    def _place(self) -> Path:
        path = self.get_option("path")
        if path:
            return Path(path)
        directory = Path(self.get_option("directory"))
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory / f"{self._began_at:%Y%m%dT%H%M%SZ}-{Path(self._playbook).stem}-{os.getpid()}.json"


def _write(place: Path, report: dict[str, Any]) -> None:
    # A new file of our own mode, moved into place: a reader never sees half of it, and an older mode never stays.
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1, default=str)
        file.write("\n")
    os.replace(draft, place)
