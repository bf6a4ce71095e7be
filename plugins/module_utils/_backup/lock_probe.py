# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a store keeps what is locked: tried, because some take the words of a lock and delete all the same."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

FOLDER = "golive/lock-probe/"
LOCKED, UNLOCKED, PRETENDS = "locked", "unlocked", "pretends"
_LASTS = timedelta(minutes=10)
# What a bucket without locks answers, by code of ``store_errors``.
_NO_LOCK = ("store_refused", "forbidden")
# What may be said about a version that cannot be deleted: stores differ (AccessDenied, InvalidRequest).
_REFUSALS = ("forbidden", "store_refused", "store_busy", "changed")
# A store may be unable to list versions, and somebody else may remove the same ones.
_UNREMOVED = (*_REFUSALS, "not_found")


@dataclass(frozen=True)
class Probed:
    """``locked``; ``unlocked`` when the bucket has no locks; ``pretends`` when it took one and did not keep it."""

    state: str
    reason: str
    steps: tuple[str, ...] = ()


def probe_lock(store: Store, now: datetime) -> Probed:
    """Put a locked object, try to shorten its lock and to delete it, and look whether it is still there.

    An object that is kept stays until the next probe behind the end of its lock, of ten minutes. Raises GoliveError as
    the store.
    """
    _remove(store, FOLDER, now - _LASTS)
    name, content = f"{FOLDER}{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}", secrets.token_bytes(32)
    until = (now + _LASTS).replace(microsecond=0)
    try:
        version = store.put_locked(name, content, until)
    except GoliveError as error:
        if error.code not in _NO_LOCK:
            raise
        # Some have written it before they refuse its lock.
        _remove(store, name)
        return Probed(UNLOCKED, f"the bucket takes no locked object: {error.message}")
    if not version or version == "null":
        store.delete(name)
        return Probed(UNLOCKED, "the bucket keeps no versions, so that it cannot keep a locked one")
    steps = [f"put version {version}, locked until {until:%Y-%m-%dT%H:%M:%SZ}"]
    steps.append(_tried("shorten the lock", partial(store.lock, name, version, now + timedelta(seconds=1))))
    kept_until = store.locked_until(name, version)
    for bypass in (False, True):
        what = "delete the version" + (" with the right to bypass" if bypass else "")
        steps.append(_tried(what, partial(store.delete_version, name, version, bypass=bypass)))
    try:
        there = store.get(name, version).data == content
    except GoliveError as error:
        if error.code != "not_found":
            raise
        there = False
    steps.append("read the version: it is there" if there else "read the version: it is gone")
    if not there:
        return Probed(PRETENDS, "the store took the lock, and the locked version could be deleted", tuple(steps))
    if kept_until is None or kept_until < until:
        return Probed(PRETENDS, "the store took the lock, and it could be shortened", tuple(steps))
    return Probed(LOCKED, "the locked version could neither be deleted nor its lock be shortened", tuple(steps))


def _remove(store: Store, below: str, until: datetime | None = None) -> None:
    """Remove all versions below a name, or those from before a time; what cannot be removed stays."""
    try:
        for one in store.versions(below):
            if until is None or one.modified < until:
                store.delete_version(one.name, one.version)
    except GoliveError as error:
        if error.code not in _UNREMOVED:
            raise


def _tried(what: str, work: Callable[[], None]) -> str:
    try:
        work()
    except GoliveError as error:
        if error.code not in _REFUSALS:
            raise
        return f"{what}: refused"
    return f"{what}: accepted"
