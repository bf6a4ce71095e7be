# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a dump of a database that is proven: read back whole, and compared with the catalogue it was taken of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_content import DumpContent
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_folder import (
    DUMP,
    FORMAT,
    DumpFolder,
    Manifest,
    create_file,
    settle,
    sha256_of,
    write_manifest,
)
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_programs import DumpPrograms, OwnPrograms
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_scene import Scene, dump_scene

# gzip checks what it unpacks. Without compression a changed byte would be restored unseen; level 1 is twice as fast
# as the default for 7 % more (reference, backup and dr, sections 8 and 13).
_FORM = ("--format=custom", "--compress=1", "--no-password", "--verbose")
_LOCK_WAIT_MS = 60_000
_TABLE = re.compile(r'dumping contents of table "(?P<name>.+)"$')
_SAME_DATABASE = ("system_identifier", "database")


@dataclass(frozen=True)
class DumpWish:
    """The dump ``name`` in ``directory``, with ``labels`` in its manifest; ``timeout`` in seconds for all of it.

    Afterwards the newest ``keep`` dumps of this database stay, with 0 all, and those in ``hold``. ``programs`` is the
    directory of pg_dump and pg_restore, when they must come from a certain one.
    """

    directory: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    keep: int = 0
    hold: tuple[str, ...] = ()
    timeout: float = 3600.0
    programs: str | None = None


def dump(
    call: Call, where: Settings, wish: DumpWish, elsewhere: Callable[[], DumpPrograms] | None = None
) -> dict[str, Any]:
    """Take the dump unless it is there and whole; the result of the verb ``db_dump``.

    Without fitting programs on this machine those ``elsewhere`` are used, if there is such a place.

    Raises GoliveError ``program_missing``, ``program_too_old``, ``program_failed``, ``dump_unreadable``,
    ``dump_incomplete``, ``dump_damaged``, ``name_taken``, ``disk_full``, ``directory_unsafe``, ``directory_failed``,
    ``timeout`` or why no session came about. Nothing of a failed dump stays.
    """
    folder = DumpFolder(wish.directory)
    folder.of(wish.name)
    folder.check()
    # pg_dump holds the snapshot as long as it works; this session only has it opened.
    limits = Limits(idle_in_transaction=0)
    with connect(call, where, limits=limits, read_only=True) as session, dump_scene(session) as scene:
        database = {key: scene.facts[key] for key in _SAME_DATABASE}
        programs = _programs(call, where, session.server_version, wish.programs, elsewhere)
        if call.check_mode:
            there = _found(call, folder, wish.name, database)
            return _result(
                call, folder, there or _planned(wish, scene.facts), there is None, _expired(folder, wish, database)
            )
        with folder.locked(call, wish.timeout):
            there = _found(call, folder, wish.name, database)
            made = there or _make(call, folder, wish, scene, programs)
            expired = _expired(folder, wish, database)
            for name in expired:
                call.alive()
                folder.remove(name)
            return _result(call, folder, made, there is None, expired)


def plan_from_nothing(call: Call, wish: DumpWish) -> dict[str, Any]:
    """What ``dump`` would do once the database is there: for check mode, while it is still a plan."""
    folder = DumpFolder(wish.directory)
    folder.of(wish.name)
    folder.check()
    return _result(call, folder, _planned(wish, {}), True, [])


def _programs(
    call: Call,
    where: Settings,
    server_version: int,
    directory: str | None,
    elsewhere: Callable[[], DumpPrograms] | None,
) -> DumpPrograms:
    try:
        return OwnPrograms(call, where, server_version, directory)
    except GoliveError as error:
        if directory or elsewhere is None:
            raise
        try:
            return elsewhere()
        except GoliveError as second:
            error.message += f" Those of the database's pod cannot be used either: {second.message}"
            raise error from second


def _found(call: Call, folder: DumpFolder, name: str, database: Mapping[str, str]) -> Manifest | None:
    """The manifest of the dump when it is there and whole."""
    manifest = folder.manifest(name)
    if manifest is None:
        if folder.of(name).exists():
            raise GoliveError(
                "name_taken", f"Writing {folder.of(name)} was refused: it is there and no dump.", "Choose another name."
            )
        return None
    file = folder.of(name) / DUMP
    if any(manifest.get(key) != value for key, value in database.items()):
        raise GoliveError(
            "name_taken",
            f"Writing {folder.of(name)} was refused: it is a dump of {manifest.get('database')} on another server.",
            "Choose another name or directory.",
        )
    if sha256_of(call, file) != manifest["sha256"]:
        raise GoliveError(
            "dump_damaged",
            f"The dump {file} is not what was written: its SHA-256 differs from that in its manifest.",
            "Do not rely on it. Take one with another name, look for an earlier one, and check the disk.",
        )
    return manifest


def _make(call: Call, folder: DumpFolder, wish: DumpWish, scene: Scene, programs: DumpPrograms) -> Manifest:
    end = call.now() + wish.timeout
    with folder.making(wish.name) as partial:
        size, sha256 = _write(call, programs, scene, partial / DUMP, end - call.now())
        content = _prove(call, programs, scene, partial / DUMP, end - call.now())
        if sha256_of(call, partial / DUMP) != sha256:
            raise GoliveError(
                "dump_damaged",
                f"Reading {wish.name} back from {folder.path} gave other bytes than were written.",
                "Check the disk; choose another directory.",
            )
        manifest = {
            **_planned(wish, scene.facts),
            "bytes": size,
            "sha256": sha256,
            "rows": sum(one.rows for one in content.tables),
            "tables": [
                {"schema": one.schema, "name": one.name, "rows": one.rows, "sha256": one.digest.hexdigest()}
                for one in sorted(content.tables, key=lambda one: (one.schema, one.name))
            ],
            "pg_dump": programs.major,
        }
        write_manifest(partial, manifest)
    return manifest


def _write(call: Call, programs: DumpPrograms, scene: Scene, file: Path, limit_s: float) -> tuple[int, str]:
    """Bytes and SHA-256 of the dump, which is on the disk then."""
    digest = hashlib.sha256()
    seen = {"bytes": 0, "tables": 0}

    def told(line: str) -> None:
        found = _TABLE.search(line)
        if found:
            text = f"dumping {found['name']}, {seen['bytes'] / 1e6:.0f} MB so far"
            call.progress(text, seen["tables"], len(scene.tables))
            seen["tables"] += 1

    with create_file(file) as output:

        def take(piece: bytes) -> None:
            output.write(piece)
            digest.update(piece)
            seen["bytes"] += len(piece)

        arguments = (*_FORM, f"--snapshot={scene.snapshot}", f"--lock-wait-timeout={_LOCK_WAIT_MS}")
        programs.dump(arguments, limit_s, take, told)
        settle(output)
    return seen["bytes"], digest.hexdigest()


def _prove(call: Call, programs: DumpPrograms, scene: Scene, file: Path, limit_s: float) -> DumpContent:
    """Every block unpacked, and the rows of each table counted. Raises ``dump_unreadable``, ``dump_incomplete``."""
    content = DumpContent()
    read = {"tables": 0}

    def take(piece: bytes) -> None:
        content.feed(piece)
        if len(content.tables) > read["tables"]:
            read["tables"] = len(content.tables)
            call.progress(f"reading {content.tables[-1].name} back", read["tables"], len(scene.tables))

    try:
        programs.read(file, limit_s, take)
    except GoliveError as error:
        if error.code != "program_failed":
            raise
        raise GoliveError(
            "dump_unreadable", f"The dump cannot be read back: {error.message}", "Check the disk, and try again."
        ) from error
    missing = sorted(set(scene.tables) - {(one.schema, one.name) for one in content.tables})
    if missing or not content.whole:
        names = ", ".join(".".join(one) for one in missing[:5]) or "the end of its last table"
        raise GoliveError(
            "dump_incomplete",
            f"The dump lacks what the database has: {names}{' …' if len(missing) > 5 else ''}.",
            "Dump as a user who may read all tables.",
            {"tables": [".".join(one) for one in missing]},
        )
    return content


def _planned(wish: DumpWish, facts: Mapping[str, Any]) -> Manifest:
    return {"format": FORMAT, "name": wish.name, **facts, "labels": dict(wish.labels)}


def _expired(folder: DumpFolder, wish: DumpWish, database: Mapping[str, str]) -> list[str]:
    """Names of the dumps that are no longer kept once this one is there."""
    if not wish.keep:
        return []
    others = [one["name"] for one in folder.kept(database) if one["name"] != wish.name]
    return [name for name in others[wish.keep - 1 :] if name not in wish.hold]


def _result(call: Call, folder: DumpFolder, manifest: Manifest, taken: bool, removed: list[str]) -> dict[str, Any]:
    name = manifest["name"]
    result = {
        "changed": taken or bool(removed),
        "name": name,
        "path": str(folder.of(name) / DUMP),
        "manifest": manifest,
        "removed": removed,
    }
    if call.diff_mode:
        rows = [diff_of(str(folder.of(name)), None, manifest)] if taken else []
        result["diff"] = rows + [diff_of(str(folder.of(one)), "a dump", None) for one in removed]
    return result
