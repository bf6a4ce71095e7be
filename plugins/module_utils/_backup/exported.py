# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Series of the exporter that the repositories tell: the last good backup, and the last drill that was good.

A container of the server's image beside the exporter reads them every few minutes, with the key, into a folder: the
answer of ``pgbackrest info``, and the reports of drills. So a schedule that fails without a word is seen, as is a
repository that nobody can open.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Info, parse_info
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.series import Sample, Source, Told

# What the other container has read. How many repositories there are, and after how many seconds that is too old, say
# variables of the pod.
FOLDER = Path("/var/run/golive/repositories")
NUMBER, OLD = "GOLIVE_REPOSITORIES", "GOLIVE_REPOSITORIES_OLD"
BACKUP = "golive_backup_last_success_timestamp_seconds"
RESTORE_TEST = "golive_restore_test_last_success_timestamp_seconds"
# The copy was read as SQL reads it, and compared with what was live; pg_restore documents the levels.
_LEAST_LEVEL = 6


def read_repositories(_login: Mapping[str, str]) -> Told:
    """Both series by repository. What cannot be read of one repository hides nothing of the other."""
    number = int(os.environ.get(NUMBER) or 0)
    if not number:
        return Told({"backups": [], "drills": []})
    backups: list[Sample] = []
    drills: list[Sample] = []
    faults: dict[str, str] = {}
    for query, samples, read in (("backups", backups, _backup), ("drills", drills, _drill)):
        for repo in range(1, number + 1):
            try:
                samples += read(repo)
            except (GoliveError, OSError) as error:
                faults[query] = f"{faults.get(query, '')} repository {repo}: {error}".strip()
    return Told({"backups": backups, "drills": drills}, faults)


def newest_backup(info: Info, repo: int) -> float:
    """When the newest backup without a damaged page was done, 0 without one. Raises GoliveError as ``Info.of``."""
    return max((one.stopped.timestamp() for one in info.of(repo) if not one.error), default=0.0)


def newest_drill(reports: Mapping[str, bytes]) -> float | None:
    """When the newest drill that was proven to the content began, by the reports of their names; None without one.

    A report whose content is not that of its name does not count.
    """
    began = []
    for name, content in reports.items():
        if name.removesuffix(".json").rpartition("-")[2] != hashlib.sha256(content).hexdigest()[:8]:
            continue
        report: dict[str, Any] = json.loads(content)
        about = report.get("about") or {}
        if about.get("kind") == "drill" and (report.get("level") or 0) >= _LEAST_LEVEL and not report.get("faults"):
            began.append(datetime.fromisoformat(report["started"].replace("Z", "+00:00")).timestamp())
    return max(began, default=None)


def _backup(repo: int) -> list[Sample]:
    info = parse_info(_fresh(FOLDER / "info.json").read_text(encoding="utf-8", errors="replace"))
    return [Sample(BACKUP, newest_backup(info, repo), {"repo": str(repo)})]


def _drill(repo: int) -> list[Sample]:
    _fresh(FOLDER / f"reports-{repo}.read")
    files = (FOLDER / f"reports-{repo}").glob("*.json")
    found = newest_drill({file.name: file.read_bytes() for file in files})
    return [] if found is None else [Sample(RESTORE_TEST, found, {"repo": str(repo)})]


def _fresh(file: Path) -> Path:
    old = float(os.environ[OLD])
    if not file.exists() or time.time() - file.stat().st_mtime > old:
        raise GoliveError("repository_unread", f"{file.name} was not written for {old:.0f} s.")
    return file


# A time that was read stays true while the store is away for a while, and ages.
SOURCES = (Source(("backups", "drills"), frozenset({BACKUP, RESTORE_TEST}), 15, 3600, read_repositories),)
