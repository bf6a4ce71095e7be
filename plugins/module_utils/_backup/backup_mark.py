# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a backup that is there: held, released, verified. It is kept in the repository, as annotations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup import pgbackrest_commands as commands
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_wish import Wish
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import (
    HOLD,
    HOLD_WAL,
    VERIFIED,
    Backup,
    stamp,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_verify import BAD, GOOD, read_verify
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import INFO_S, Engine, must, read_info
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# The level that reading alone can show; a restore shows more.
_READ = "L1"
# A record of the same level is written anew once it is older.
_FRESH = timedelta(days=1)


def hold(call: Call, engine: Engine, wish: Wish) -> dict[str, Any]:
    """Have a backup stay whatever its age, or let retention have it again."""
    found = chosen(engine, wish)
    keep = wish.state == "held"
    wanted = {HOLD: wish.reason, HOLD_WAL: "yes" if wish.keep_wal else ""} if keep else {HOLD: "", HOLD_WAL: ""}
    return _marked(call, engine, wish, found, wanted)


def verify(call: Call, engine: Engine, wish: Wish) -> dict[str, Any]:
    """Have every stored file read, and remember that they are good, or that they are not any more.

    Raises GoliveError ``backup_damaged`` with the bad ``files``, and ``verify_unclear`` where the program's words do
    not say that they are good. It reads in check mode, too.
    """
    found = chosen(engine, wish)
    call.progress(f"reading every file of {wish.place}")
    arguments = commands.verify(wish.repo)
    ended = engine(arguments, wish.timeout_s)
    seen = read_verify(ended.exit_code, ended.output)
    verdict, reason = seen.of(found.id)
    if verdict == GOOD and seen.verdict == BAD:
        # The backup itself is good; what leads on from it may not be.
        call.warn(f"Another part of {wish.place} is damaged: {seen.reason}")
    if verdict == GOOD:
        now = call.date()
        wanted = {} if _is_fresh(found, now) else {VERIFIED: f"{_READ} {stamp(now)}"}
        return {**_marked(call, engine, wish, found, wanted), "level": _READ, "reason": reason}
    if verdict == BAD:
        _marked(call, engine, wish, found, {VERIFIED: ""})
        raise GoliveError(
            "backup_damaged",
            f"Verifying backup {found.id} of {wish.place} failed: {reason}.",
            "Take a full backup now, and keep this one until another is verified.",
            {"files": list(seen.files), "backup": found.record()},
        )
    raise GoliveError(
        "verify_unclear",
        f"Verifying backup {found.id} of {wish.place} has no result: {reason}.",
        "Run it again when nothing is at work; the log of the server's sidecar may tell more.",
        {"backup": found.record()},
    )


def chosen(engine: Engine, wish: Wish) -> Backup:
    """The named backup, or the newest; raises GoliveError ``no_backup`` and as ``Info.of``."""
    listed = read_info(engine).of(wish.repo)
    found = next((one for one in reversed(listed) if wish.backup in (None, one.id)), None)
    if found is None:
        raise GoliveError(
            "no_backup",
            f"Looking for {wish.backup or 'a backup'} in {wish.place} failed: it has"
            f" {', '.join(one.id for one in listed[-3:]) or 'none'}.",
            "pg_backup_info lists what there is.",
        )
    return found


def _is_fresh(found: Backup, now: datetime) -> bool:
    level, _blank, since = found.annotations.get(VERIFIED, "").partition(" ")
    if level > _READ:
        return True
    try:
        taken = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return level == _READ and now - taken < _FRESH


def _marked(call: Call, engine: Engine, wish: Wish, found: Backup, wanted: Mapping[str, str]) -> dict[str, Any]:
    before = dict(found.annotations)
    after = {name: text for name, text in {**before, **wanted}.items() if text}
    differs = {name: text for name, text in wanted.items() if before.get(name, "") != text}
    result: dict[str, Any] = {"changed": bool(differs), "backup": found.record()}
    if differs and not call.check_mode:
        call.alive()
        must(engine, commands.annotate(found.id, wish.repo, differs), INFO_S)
        now = next((one for one in read_info(engine).of(wish.repo) if one.id == found.id), found)
        if dict(now.annotations) != after:
            raise GoliveError(
                "not_written", f"Marking backup {found.id} of {wish.place} failed: the repository says otherwise."
            )
        result["backup"] = now.record()
    if call.diff_mode and differs:
        result["diff"] = [diff_of(f"backup {found.id} of {wish.place}", before, after)]
    return result
