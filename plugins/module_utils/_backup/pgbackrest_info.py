# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``pgbackrest info --output=json`` tells, which is the only output of it that is documented as stable.

Its exit code is 0 with a wrong key, an unknown certificate and no store at all (executed, 2.45 and 2.60): what is
believed is the status of each repository. The messages of a damaged info file hold decrypted lines of it, so only what
comes before the first quoted text of the first line is ever passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

ENGINE = "pgbackrest"
STANZA = "main"
OK, NO_STANZA, NO_BACKUP = 0, 1, 2
# Annotations that this collection writes.
RUN, TAG, HOLD, HOLD_WAL, VERIFIED = "run", "tag", "hold", "hold-wal", "verified"
_TIMELINE_DIGITS = 8
_QUOTED = re.compile(r"['\"\n{]")
_LONGEST = 200


@dataclass(frozen=True)
class Backup:
    """One backup in one repository; ``bytes`` is what it adds to the repository, ``database_bytes`` what it restores.

    Times are UTC.

    ``error`` says that pages with wrong checksums were met while it was taken; None where it was not looked for.
    ``wal_first`` and ``wal_last`` are the segments from its start to its stop.
    """

    id: str
    kind: str
    parent: str | None
    started: datetime
    stopped: datetime
    start_lsn: str | None
    stop_lsn: str | None
    wal_first: str | None
    wal_last: str | None
    bytes: int
    repo: int
    pg_major: int | None
    archive_id: str | None
    error: bool | None
    references: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    engine: str = ENGINE
    database_bytes: int = 0

    @property
    def timeline(self) -> int | None:
        """Number of the timeline that it was taken on."""
        return int(self.wal_first[:_TIMELINE_DIGITS], 16) if self.wal_first else None

    def record(self) -> dict[str, Any]:
        """The same in JSON types, as the verbs return it."""
        return {
            "id": self.id,
            "engine": self.engine,
            "kind": self.kind,
            "parent": self.parent,
            "started": stamp(self.started),
            "stopped": stamp(self.stopped),
            "start_lsn": self.start_lsn,
            "stop_lsn": self.stop_lsn,
            "timeline": self.timeline,
            "wal_first": self.wal_first,
            "wal_last": self.wal_last,
            "bytes": self.bytes,
            "repo": self.repo,
            "pg_major": self.pg_major,
            "error": self.error,
            "run": self.annotations.get(RUN),
            "tag": self.annotations.get(TAG),
            "hold": self.annotations.get(HOLD),
            "verified": self.annotations.get(VERIFIED),
        }


@dataclass(frozen=True)
class Repository:
    """The state of one repository; ``code`` 0 is good, 1 without a stanza, 2 without a backup, others are faults."""

    key: int
    code: int
    message: str
    encrypted: bool


@dataclass(frozen=True)
class Archive:
    """The WAL of one history of the server in one repository: its first and last segment, holes not considered."""

    id: str
    repo: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Info:
    """All repositories and backups of the stanza; ``locked`` says that a backup or an expiry is at work.

    The lock is that of the machine where ``info`` ran: ask the server's sidecar, through which every backup goes.
    """

    repositories: tuple[Repository, ...]
    backups: tuple[Backup, ...]
    locked: bool
    archives: tuple[Archive, ...] = ()

    def of(self, repo: int) -> list[Backup]:
        """The backups of one repository, oldest first.

        Raises GoliveError ``repository_unreadable`` where its state is not known, ``no_stanza`` where it has none, and
        ``no_repository`` where no such repository is set up: an empty list always means that there is no backup.
        """
        state = next((one for one in self.repositories if one.key == repo), None)
        if state is None:
            known = ", ".join(str(one.key) for one in self.repositories) or "none"
            raise GoliveError(
                "no_repository", f"Listing the backups of repository {repo} failed: the server has {known}."
            )
        if state.code == NO_STANZA:
            raise GoliveError(
                "no_stanza",
                f"Listing the backups of repository {repo} failed: it has no stanza {STANZA}: {state.message}.",
                "Run the role backup: it creates the stanza.",
            )
        if state.code not in (OK, NO_BACKUP):
            raise GoliveError(
                "repository_unreadable",
                f"Listing the backups of repository {repo} failed: {state.message}.",
                "Check endpoint, keys and certificate authority of the store, and the passphrase of the repository.",
                {"status_code": state.code},
            )
        return sorted((one for one in self.backups if one.repo == repo), key=lambda one: one.id)


def parse_info(text: str) -> Info:
    """Read the JSON; raises GoliveError ``info_unreadable`` for anything that is not the answer for the stanza."""
    try:
        # The message of a damaged info file can hold raw control characters (executed).
        stanzas = json.loads(text, strict=False)
        if not isinstance(stanzas, list):
            raise TypeError
        found = [one for one in stanzas if one["name"] == STANZA]
        return _info(found[0]) if found else Info((), (), locked=False)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Never the text itself: it may hold decrypted lines.
        raise GoliveError(
            "info_unreadable",
            f"Reading the answer of pgbackrest info failed: {type(error).__name__} in {len(text)} characters.",
            "Check that the image has pgBackRest 2.59.1 or newer.",
        ) from None


def plain_reason(message: str) -> str:
    """The part of a message of the program that cannot hold what it has read."""
    kept = _QUOTED.split(message.strip(), maxsplit=1)[0].strip(" :")
    return kept[:_LONGEST] or "no reason given"


def stamp(moment: datetime) -> str:
    """A time in UTC as ISO 8601 to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _info(stanza: Mapping[str, Any]) -> Info:
    majors = {(row["repo-key"], row["id"]): int(str(row["version"]).partition(".")[0]) for row in stanza["db"]}
    archives = {
        (row["database"]["repo-key"], row["database"]["id"]): str(row["id"]) for row in stanza.get("archive") or []
    }
    repositories = tuple(
        Repository(
            key=int(row["key"]),
            code=int(row["status"]["code"]),
            message=plain_reason(str(row["status"]["message"])),
            encrypted=row.get("cipher", "none") != "none",
        )
        for row in stanza["repo"]
    )
    backups = tuple(_backup(row, majors, archives) for row in stanza["backup"])
    wal = tuple(
        Archive(str(row["id"]), int(row["database"]["repo-key"]), row.get("min"), row.get("max"))
        for row in stanza.get("archive") or []
    )
    return Info(repositories, backups, bool(stanza["status"]["lock"]["backup"]["held"]), wal)


def _backup(
    row: Mapping[str, Any], majors: Mapping[tuple[int, int], int], archives: Mapping[tuple[int, int], str]
) -> Backup:
    place = (int(row["database"]["repo-key"]), int(row["database"]["id"]))
    archive, lsn = row.get("archive") or {}, row.get("lsn") or {}
    size = row["info"]["repository"]
    return Backup(
        id=str(row["label"]),
        kind=str(row["type"]),
        parent=row.get("prior"),
        started=_moment(row["timestamp"]["start"]),
        stopped=_moment(row["timestamp"]["stop"]),
        start_lsn=lsn.get("start"),
        stop_lsn=lsn.get("stop"),
        wal_first=archive.get("start"),
        wal_last=archive.get("stop"),
        # A repository with block increments tells the size of the delta alone.
        bytes=int(size.get("delta", size.get("size", 0))),
        repo=place[0],
        pg_major=majors.get(place),
        archive_id=archives.get(place),
        error=row.get("error"),
        references=tuple(row.get("reference") or ()),
        annotations={str(name): str(value) for name, value in (row.get("annotation") or {}).items()},
        database_bytes=int(row["info"]["size"]),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), timezone.utc)
