# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``backup_probe``: whether each repository opens with the cluster's key, and keeps what is locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.canary import (
    ABSENT,
    INFO,
    NAME,
    OK,
    judge_canary,
    judge_repository,
    put_canary,
    sealed_canary,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.key import Key, read_key
from ansible_collections.golive.cutover.plugins.module_utils._backup.lock_probe import (
    PRETENDS,
    UNLOCKED,
    Probed,
    probe_lock,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import opened_store
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store, need_botocore
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected

PUT, RENEWED = "put", "renewed"
SKIP, REPORT, REQUIRE = "skip", "report", "require"
_HEAD_BYTES = 64
_TRIES = 3
_LOCK_HINT = "Use a store that keeps what is locked, or set lock: skip when nothing has to resist who has the keys."


@dataclass(frozen=True)
class Canary:
    """What was done: ``ok`` for nothing, ``put`` or ``renewed``; and what was there before, for the diff."""

    done: str
    before: str = OK


def backup_probe(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError when one repository fails, after all were looked at."""
    need_botocore()
    rows, failed, diff = [], [], []
    with connected(call) as client:
        key = _key(call, client)
        for number, row in enumerate(call.params["repositories"], 1):
            told = {"number": number, **{name: row[name] for name in ("endpoint", "bucket", "path")}}
            rows.append(told)
            if key is None:
                told.update(_told(Canary(PUT, ABSENT), None))
                continue
            call.progress(f"probing repository {number}")
            try:
                with opened_store(call, client, row, call.params["namespace"]) as store:
                    canary = keep_canary(call, store, key)
                    told.update(_told(canary, None))
                    if canary.done != OK:
                        after = f"of the key {key.id}"
                        diff.append(diff_of(f"canary of repository {number}", canary.before, after))
                    probed = probed_lock(call, store)
                    told.update(_told(canary, probed))
                    refuse_lock(probed, call.params["lock"])
            except GoliveError as error:
                told["code"] = error.code
                failed.append((number, error))
    changed = any(one.get("canary") in (PUT, RENEWED) for one in rows)
    if failed:
        first = failed[0][1]
        message = " ".join(f"Repository {number}: {error.message}" for number, error in failed)
        raise GoliveError(first.code, message, first.hint, {"changed": changed, "repositories": rows})
    return {"changed": changed, "repositories": rows, **({"diff": diff} if call.diff_mode else {})}


def keep_canary(call: Call, store: Store, key: Key) -> Canary:
    """Have a canary that the key opens; raises ``canary_…`` or ``repository_…`` for one that it must not replace."""
    for _try in range(_TRIES):
        kept = store.get_or_none(NAME)
        judged = judge_canary(kept.data if kept else None, key.passphrase, key.id)
        if judged.state == OK:
            return Canary(OK)
        if kept is not None and not call.params["renew"]:
            raise GoliveError(
                f"canary_{judged.state}",
                f"Opening the canary of {store.place} failed: {judged.reason}.",
                "Put the passphrase that this path was begun with back into the Secret. When that one is right and the"
                " canary is not, set renew: true.",
            )
        _refuse_key(store, key)
        done = Canary(RENEWED if kept else PUT, judged.state)
        if call.check_mode or _written(store, key, kept.etag if kept else None):
            return done
    raise GoliveError("changed", f"Writing the canary of {store.place} failed: somebody else changes it.", "Run again.")


def probed_lock(call: Call, store: Store) -> Probed | None:
    """What the store does with a lock; None where that is not tried."""
    if call.check_mode or call.params["lock"] == SKIP:
        return None
    return probe_lock(store, call.date())


def refuse_lock(probed: Probed | None, wanted: str) -> None:
    """Raise GoliveError for a store that pretends, and for one without locks when they are required."""
    if probed is not None and probed.state == PRETENDS:
        raise GoliveError("lock_pretends", f"Probing the lock failed: {probed.reason}.", _LOCK_HINT)
    if probed is not None and probed.state == UNLOCKED and wanted == REQUIRE:
        raise GoliveError(
            "lock_missing",
            f"Probing the lock failed: {probed.reason}.",
            "Make a bucket with object lock, and let the key lock objects.",
        )


def _key(call: Call, client: Client) -> Key | None:
    """The cluster's key; None in check mode before its Secret is made."""
    try:
        return read_key(client, call.params)
    except GoliveError as error:
        if not call.check_mode or error.code != "not_found":
            raise
        return None


def _refuse_key(store: Store, key: Key) -> None:
    """A canary of a key that does not open the repository would say that all is well."""
    head = store.get_range(INFO, 0, _HEAD_BYTES) if store.head(INFO) else None
    judged = judge_repository(head, key.passphrase)
    if judged.state not in (OK, ABSENT):
        raise GoliveError(
            f"repository_{judged.state}",
            f"Putting a canary into {store.place} failed: {judged.reason}.",
            "Put the passphrase that this path was begun with back into the Secret.",
        )


def _written(store: Store, key: Key, etag: str | None) -> bool:
    """Whether it was written over just what was judged."""
    if etag is None:
        return put_canary(store, key.passphrase, str(key.id))
    try:
        store.put_if_match(NAME, sealed_canary(key.passphrase, str(key.id)), etag)
    except GoliveError as error:
        if error.code != "changed":
            raise
        return False
    return True


def _told(canary: Canary, probed: Probed | None) -> dict[str, Any]:
    return {
        "canary": canary.done,
        "lock": probed.state if probed else None,
        "lock_reason": probed.reason if probed else None,
        "lock_steps": list(probed.steps) if probed else [],
    }
