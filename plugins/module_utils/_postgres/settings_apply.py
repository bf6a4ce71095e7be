# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the wanted settings into a running server: by a file that is already on its way, or by ALTER SYSTEM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.hba import refused_lines
from ansible_collections.golive.cutover.plugins.module_utils._postgres.setting_values import LISTS
from ansible_collections.golive.cutover.plugins.module_utils._postgres.settings_beside import (
    Beside,
    await_beside,
    unread,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.settings_file import look_at_file
from ansible_collections.golive.cutover.plugins.module_utils._postgres.settings_plan import (
    RESTART,
    Change,
    changes,
    known_settings,
)

_RELOAD_S = 30.0
_INTERVAL_S = 0.5


def bring_settings(
    call: Call,
    connect: Callable[[], AbstractContextManager[Session]],
    wanted: Mapping[str, Any],
    file: str | None,
    timeout: float,
    hurry: Callable[[], None],
    beside: Sequence[Beside] = (),
) -> dict[str, Any]:
    """The result of the verb. ``hurry`` asks the platform to bring the files now; it is called when they are awaited.

    Raises GoliveError as ``changes`` and ``look_at_file``, ``timeout`` when the file does not come, ``hba_refused``
    when the server would not start with its pg_hba.conf, and ``not_taken`` when it did not take over what it was told.
    """
    with connect() as session:
        planned = changes(session, wanted, file)
        files = unread(session, beside)
        reload = bool(files) or any(not change.pending for change in planned)
        if not call.check_mode:
            _await_beside(call, session, beside, timeout, hurry)
            if beside:
                _refuse_lines(session)
            if file is not None:
                _await_file(call, session, file, wanted, timeout, hurry)
            elif planned:
                _write(session, planned)
            if reload:
                _reload(session)
    if reload and not call.check_mode:
        _await_taken(call, connect, wanted, file, beside)
    with connect() as session:
        waiting = sorted(row.name for row in known_settings(session).values() if row.pending_restart)
        version = session.value("SELECT pg_catalog.current_setting('server_version')")
    restart = sorted({*waiting, *(change.name for change in planned if change.takes == RESTART)})
    result: dict[str, Any] = {
        "changed": reload,
        "settings": [change.as_dict() for change in planned],
        "files": files,
        "reloaded": reload and not call.check_mode,
        "restart": restart,
        "server_version": version,
    }
    if call.diff_mode:
        before = {change.name: change.before for change in planned}
        after = {change.name: f"{change.after} ({change.takes})" for change in planned}
        result["diff"] = [diff_of("settings of the server", before or None, after or None)]
        result["diff"] += [diff_of(path, "read before", "to be read") for path in files]
    return result


def _await_beside(
    call: Call, session: Session, beside: Sequence[Beside], timeout: float, hurry: Callable[[], None]
) -> None:
    asked = False

    def look() -> Done[None] | Pending:
        nonlocal asked
        seen = await_beside(session, beside)
        if isinstance(seen, Pending) and not asked:
            asked = True
            hurry()
        return seen

    wait_for(
        call,
        look,
        what="the files beside the settings",
        timeout=timeout,
        interval=_INTERVAL_S,
        hint="Look whether they are mounted from the ConfigMap or Secret, and whether the kubelet runs.",
    )


def _refuse_lines(session: Session) -> None:
    refused = refused_lines(session)
    if refused:
        raise GoliveError(
            "hba_refused",
            f"The server cannot read its pg_hba.conf: {'; '.join(refused)}. It goes on with the one that it has read,"
            " and would not start again with this one.",
            "Mend these lines before the server restarts, then run again.",
            {"refused": refused},
        )


def _await_file(
    call: Call, session: Session, file: str, wanted: Mapping[str, Any], timeout: float, hurry: Callable[[], None]
) -> None:
    asked = False

    def look() -> Done[None] | Failed | Pending:
        nonlocal asked
        seen = look_at_file(session, file, wanted)
        if isinstance(seen, Pending) and not asked:
            asked = True
            hurry()
        return seen

    wait_for(
        call,
        look,
        what=f"the settings in {file}",
        timeout=timeout,
        interval=_INTERVAL_S,
        hint="Look whether the file is the one that is mounted from the ConfigMap, and whether the kubelet runs.",
    )


def _write(session: Session, planned: list[Change]) -> None:
    for change in planned:
        if change.after is None:
            session.execute(f'ALTER SYSTEM RESET "{change.name}"')
            continue
        # A list in one literal would become one element with commas in it.
        parts = change.after.split(",") if change.name in LISTS else [change.after]
        values = [part.strip().strip('"') if change.name in LISTS else part for part in parts]
        session.execute(f'ALTER SYSTEM SET "{change.name}" = {", ".join(["%s"] * len(values))}', values)


def _reload(session: Session) -> None:
    if not session.value("SELECT pg_catalog.pg_reload_conf()"):
        raise GoliveError("not_taken", "The server could not be told to read its configuration again.")


def _await_taken(
    call: Call,
    connect: Callable[[], AbstractContextManager[Session]],
    wanted: Mapping[str, Any],
    file: str | None,
    beside: Sequence[Beside],
) -> None:
    """A session of its own for each look: what new sessions start with is what counts."""

    def look() -> Done[None] | Pending:
        with connect() as session:
            left = [change.name for change in changes(session, wanted, file) if not _waits(change)]
            left += unread(session, beside)
        return Pending(f"{', '.join(left)} not taken over") if left else Done(None)

    wait_for(
        call,
        look,
        what="the server to take over its settings",
        timeout=_RELOAD_S,
        interval=_INTERVAL_S,
        hint="Look at the log of the server: it says why it did not take a setting.",
    )


def _waits(change: Change) -> bool:
    return change.takes == RESTART and change.pending
