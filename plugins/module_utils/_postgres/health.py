# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a server for the facts of its health."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import (
    named,
    refuse,
    with_thresholds,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import PRIMARY, STANDBY, Fact, size
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_storage import DISK_FREE, USED_BYTES
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_verdict import (
    DEGRADED,
    UNHEALTHY,
    UNKNOWN,
    Seen,
    verdict,
)

NEVER = "never"
FAIL_ON = (NEVER, DEGRADED, UNHEALTHY)
ROLES = (PRIMARY, STANDBY)
# What a server that is away, or no longer takes sessions, gives; a wrong password or name is the caller's error.
_AWAY = frozenset({"unreachable", "starting", "too_many_connections", "connection_lost", "connect_failed"})
_NO_POD = frozenset({"no_ready_pod"})
_LOCK_S = 1.0
_LOGIN = """
SELECT current_user::text AS login, pg_catalog.current_database()::text AS database,
    pg_catalog.current_setting('server_version') AS version, pg_catalog.pg_is_in_recovery() AS standby,
    pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS monitor"""

# Bytes free on the volume and its size, or None when nobody can tell.
AskRoom = Callable[[], "tuple[int, int] | None"]


@dataclass(frozen=True)
class Wish:
    """What is asked. ``timeout`` are seconds for each fact. ``disk_free`` and ``disk_size`` are bytes that the caller
    knows."""

    facts: Sequence[Fact]
    required: Sequence[str]
    timeout: float
    disk_free: int | None
    disk_size: int | None


def read_wish(params: Mapping[str, Any]) -> Wish:
    """The options of the verb. Raises GoliveError ``invalid`` with all that is wrong in them."""
    role, chosen, ignored = params["role"], params["facts"] or [], params["ignore"] or []
    facts, faults = with_thresholds(params["thresholds"])
    required = params["required"] or []
    for option, names in (("facts", chosen), ("ignore", ignored), ("required", required)):
        faults += named(option, names)
        faults += [
            f"{option}: {name} is a fact of a {facts[name].role}, and role is {role}"
            for name in names
            if name in facts and facts[name].role not in (None, role)
        ]
    faults += [f"required: {name} is in ignore" for name in required if name in ignored]
    if params["timeout"] <= 0:
        faults.append("timeout must be greater than 0")
    if params["disk_size"] is not None and params["disk_free"] is None:
        faults.append("disk_size needs disk_free")
    faults += [f"{name} must not be negative" for name in ("disk_free", "disk_size") if (params[name] or 0) < 0]
    refuse("look at the health", faults)
    wanted = [
        fact
        for name, fact in facts.items()
        if fact.role in (None, role) and name not in ignored and (not chosen or name in chosen or name in required)
    ]
    refuse("look at the health", [] if wanted else ["facts: nothing is left to ask"])
    return Wish(wanted, required, params["timeout"], params["disk_free"], params["disk_size"])


def health(call: Call, where: Settings, wish: Wish, ask_room: AskRoom) -> dict[str, Any]:
    """The result as the module documents it; ``ask_room`` is asked when the caller knows no free bytes.

    Raises GoliveError for what is wrong on this side, such as the password.
    """
    seen: list[Seen] = []
    server: dict[str, Any] = {}
    try:
        # The state of a session is read, nothing is written: also a standby and a full disk can be asked.
        limits = Limits(lock=min(_LOCK_S, wish.timeout), statement=wish.timeout)
        with connect(call, where, limits=limits, read_only=True, application_name="golive health") as session:
            server = session.rows(_LOGIN)[0]
            for number, fact in enumerate(wish.facts):
                call.progress(f"health of {server['database']}: {fact.title}", number, len(wish.facts))
                seen.append(_look(session, fact, wish, server, ask_room))
    except GoliveError as error:
        if error.code not in _AWAY and not isinstance(error, SqlError):
            raise
        return _result(wish, seen, server, error)
    return _result(wish, seen, server)


def no_pod(error: GoliveError, wish: Wish) -> dict[str, Any] | None:
    """The result for a server that a tunnel finds no pod of; None when the error is another one."""
    return _result(wish, [], {}, error) if error.code in _NO_POD else None


def judged(result: dict[str, Any], fail_on: str) -> dict[str, Any]:
    """The same result. Raises GoliveError with it when the verdict is what ``fail_on`` names, or worse."""
    bad = {NEVER: (), DEGRADED: (DEGRADED, UNHEALTHY), UNHEALTHY: (UNHEALTHY,)}[fail_on]
    if result["verdict"] in bad:
        raise GoliveError(
            result["verdict"],
            f"The database is {result['verdict']}. {' '.join(result['reasons'])}",
            "Every number is in facts of the result.",
            result,
        )
    return result


def _look(session: Session, fact: Fact, wish: Wish, server: Mapping[str, Any], ask_room: AskRoom) -> Seen:
    """One fact; what the server refuses is unknown, what breaks the session is raised."""
    if session.server_version < fact.since:
        return Seen(fact, reason=f"the server is older than PostgreSQL {fact.since // 10000}")
    if fact.monitor and not server["monitor"]:
        login = server["login"]
        return Seen(
            fact, reason=f"the login {login} has not the rights of pg_monitor", hint=f"GRANT pg_monitor TO {login}."
        )
    try:
        if fact.name == DISK_FREE:
            return _disk(session, fact, wish, ask_room)
        rows = session.rows(fact.query)
    except SqlError as error:
        if session.closed:
            raise
        if error.code == "statement_timeout":
            return Seen(fact, reason=f"no answer within {wish.timeout:g} s", hint="Raise timeout, or ask again.")
        return Seen(fact, reason=f"the server refused: {error.message.rstrip('.')}", hint=error.hint or "")
    if not rows:
        return Seen(fact, reason=fact.unseen, hint=fact.unseen_hint)
    return Seen(fact, float(rows[0]["value"]), str(rows[0]["seen"]))


def _disk(session: Session, fact: Fact, wish: Wish, ask_room: AskRoom) -> Seen:
    """The free share of the volume; of unknown size, it is what the server's files and the free room add up to."""
    free, whole = wish.disk_free, wish.disk_size
    if free is None:
        room = ask_room()
        if room is None:
            return Seen(fact, reason=fact.unseen, hint=fact.unseen_hint)
        free, whole = room
    if whole is None:
        whole = free + int(session.value(USED_BYTES))
    return Seen(fact, free / max(1, whole), f"{size(free)} of {size(whole)} are free")


def _result(
    wish: Wish, seen: Sequence[Seen], server: Mapping[str, Any], lost: GoliveError | None = None
) -> dict[str, Any]:
    word, reasons = verdict(seen, wish.required)
    if lost is not None:
        told = f"The server does not answer: {lost.message.rstrip('.')}."
        word, reasons = UNHEALTHY, [" ".join(filter(None, (told, lost.hint))), *reasons]
        asked = {one.fact.name for one in seen}
        left = [fact for fact in wish.facts if fact.name not in asked]
        seen = [*seen, *(Seen(fact, reason="the server does not answer") for fact in left)]
    return {
        "changed": False,
        "verdict": word,
        "reasons": reasons,
        "reachable": lost is None,
        "server": {
            "version": server.get("version"),
            "role": (STANDBY if server["standby"] else PRIMARY) if server else None,
            "database": server.get("database"),
            "login": server.get("login"),
        },
        "facts": [one.row() for one in seen],
        "unknown": [one.fact.name for one in seen if one.state == UNKNOWN],
    }
