# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_backup_info``: all that is known of the backups of a server, without believing anybody's exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.archive_listing import segment_bytes_of
from ansible_collections.golive.cutover.plugins.module_utils._backup.clocks import clock_faults
from ansible_collections.golive.cutover.plugins.module_utils._backup.info_repository import (
    Stored,
    failure,
    finding,
    look,
    report,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.key import Key, read_key
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup, Info
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import opened_store
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import Engine, must, read_info, sidecar
from ansible_collections.golive.cutover.plugins.module_utils._backup.server_wal import ServerWal, read_server
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import need_botocore
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import (
    Lineage,
    lineage_from,
)
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected

_HISTORY_S = 30.0


def pg_backup_info(call: Call) -> dict[str, Any]:
    """The result of the verb. What cannot be reached becomes a finding, for the rest is wanted all the more then.

    Raises GoliveError when the cluster cannot be asked, or a library is missing.
    """
    need_botocore()
    with connected(call) as client:
        return _Look(call, client).result()


class _Look:
    def __init__(self, call: Call, client: Client) -> None:
        self._call = call
        self._client = client
        self._namespace: str = call.params["namespace"]
        self._engine: Engine = sidecar(call, client, self._namespace, call.params["app"])
        self._findings: list[dict[str, Any]] = []

    def result(self) -> dict[str, Any]:
        """Ask everybody, and join what they say."""
        server = self._server()
        info = self._info()
        key = self._key()
        rows = [
            self._repository(number, row, info, server, key)
            for number, row in enumerate(self._call.params["repositories"], 1)
        ]
        return {
            "ok": not self._findings,
            "findings": self._findings,
            "locked": info.locked if info else None,
            "repositories": rows,
        }

    def _server(self) -> ServerWal | None:
        if not _has_login(self._call.params):
            return None
        try:
            return read_server(self._call)
        except GoliveError as error:
            self._failed(0, error, "database")
            return None

    def _info(self) -> Info | None:
        try:
            return read_info(self._engine)
        except GoliveError as error:
            self._failed(0, error, "engine")
            return None

    def _key(self) -> Key | None:
        try:
            return read_key(self._client, self._call.params)
        except GoliveError as error:
            self._failed(0, error, "key")
            return None

    def _failed(self, number: int, error: GoliveError, part: str) -> None:
        self._findings.append({"repository": number or None, "part": part, **failure(error)})

    def _repository(
        self, number: int, row: Mapping[str, Any], info: Info | None, server: ServerWal | None, key: Key | None
    ) -> dict[str, Any]:
        place = {"number": number, **{name: row[name] for name in ("endpoint", "bucket", "path")}}
        backups = self._backups(number, info)
        segment_bytes = server.segment_bytes if server else segment_bytes_of(backups or ())
        self._call.progress(f"listing repository {number}")
        try:
            with opened_store(self._call, self._client, row, self._namespace) as store:
                stored = look(store, segment_bytes, key)
        except GoliveError as error:
            self._failed(number, error, "store")
            return {**place, "reached": False}
        archive = _archive(stored, backups)
        if archive is None:
            self._add(number, finding("no_archive", "there is no archive of WAL: nothing can be restored"))
            archive = Archive("", segment_bytes)
        told, found = report(stored, backups, archive, self._lineage(number, archive, backups, server), server)
        seen: dict[str, datetime | None] = {f"the end of {one.id}": one.stopped for one in backups or ()}
        seen["the newest segment"] = max((one.stored for one in archive.segments.values()), default=None)
        skewed = [finding("clock_skew", fault) for fault in clock_faults(seen, self._call.date())]
        for one in (*found, *skewed):
            self._add(number, one)
        return {**place, "reached": True, **told}

    def _add(self, number: int, found: Mapping[str, str]) -> None:
        self._findings.append({"repository": number, "part": "repository", **found})

    def _backups(self, number: int, info: Info | None) -> list[Backup] | None:
        if info is None:
            return None
        try:
            return info.of(number)
        except GoliveError as error:
            self._failed(number, error, "engine")
            return None

    def _lineage(
        self, number: int, archive: Archive, backups: Sequence[Backup] | None, server: ServerWal | None
    ) -> Lineage:
        """The line of the server; without a word of it that of the newest backup."""
        timeline = server.timeline if server else None
        if timeline is None:
            newest = max(backups or (), key=lambda one: one.stopped, default=None)
            timeline = (newest.timeline if newest else None) or max(archive.timelines, default=1)
        if timeline == 1:
            return Lineage(1, {1: 0})
        file = f"archive/main/{archive.id}/{timeline:08X}.history"
        try:
            text = must(self._engine, ["pgbackrest", "--stanza=main", "repo-get", f"--repo={number}", file], _HISTORY_S)
            return lineage_from(timeline, text, archive.segment_bytes)
        except (GoliveError, ValueError):
            return archive.guessed(timeline)


def _archive(stored: Stored, backups: Sequence[Backup] | None) -> Archive | None:
    """The archive of the newest backup; without one that of the newest database."""
    newest = max(backups or (), key=lambda one: one.stopped, default=None)
    if newest is not None and newest.archive_id:
        return stored.archives.get(newest.archive_id)
    latest = max(stored.archives, key=lambda name: int(name.rpartition("-")[2]), default=None)
    return stored.archives[latest] if latest else None


def _has_login(params: Mapping[str, Any]) -> bool:
    login = params.get("postgresql") or {}
    return bool(
        params.get("tunnel") or any(login.get(name) for name in ("host", "database", "user", "password_secret"))
    )
