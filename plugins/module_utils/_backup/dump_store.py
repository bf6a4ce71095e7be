# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_dump_store``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.dump_expire import expire_dumps
from ansible_collections.golive.cutover.plugins.module_utils._backup.dump_keep import (
    Opened,
    check_dump,
    fetch_dump,
    local_manifest,
    open_dump,
    put_dump,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.dump_objects import StoredDump, list_dumps
from ansible_collections.golive.cutover.plugins.module_utils._backup.key import read_key
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import opened_store
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Policy
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention_spec import policy_from
from ansible_collections.golive.cutover.plugins.module_utils._backup.sealing import need_pyrage
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_folder import DumpFolder, Manifest
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import masking

_SHOWN = 5
_DAMAGED = ("dump_damaged", "seal_broken")


@dataclass(frozen=True)
class Wish:
    """The options as they are used; ``hold`` are names of dumps that stay."""

    state: str
    name: str
    folder: DumpFolder
    policy: Policy
    hold: tuple[str, ...]
    wait_s: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Wish:
        """What validated options ask for; raises GoliveError ``invalid`` for a name that no dump can have."""
        folder = DumpFolder(params["directory"] or "")
        if params["name"]:
            folder.of(params["name"])
        return cls(
            params["state"], params["name"] or "", folder, policy_from(params), tuple(params["hold"]), params["wait"]
        )


def db_dump_store(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    need_pyrage()
    params = call.params
    wish = Wish.of(params)
    repositories, number = params["repositories"], params["repository"]
    if not 1 <= number <= len(repositories):
        raise GoliveError("invalid", f"There is no repository {number}: repositories names {len(repositories)}.")
    with connected(call) as client, opened_store(call, client, repositories[number - 1], params["namespace"]) as store:
        if wish.state == "listed":
            done: dict[str, Any] = {"changed": False}
        elif wish.state == "expired":
            done = expired(call, store, wish)
        else:
            key = read_key(client, params)
            with masking([key.passphrase]):
                done = _WORK[wish.state](call, store, wish, key.passphrase)
        return {**done, "repository": number, "dumps": [_told(one) for one in list_dumps(store).whole]}


def stored(call: Call, store: Store, wish: Wish, passphrase: str) -> dict[str, Any]:
    """Have the dump of the directory in the repository.

    Raises GoliveError ``name_taken`` when there is another one of its name, and as ``put_dump`` and ``open_dump``.
    """
    try:
        manifest = local_manifest(call, wish.folder, wish.name)
    except GoliveError as error:
        if not call.check_mode or error.code != "not_found":
            raise
        # The task before it has not taken it either.
        return {"changed": True, "name": wish.name, "manifest": None}
    where = f"dump {wish.name} in {store.place}"
    there = open_dump(store, wish.name, passphrase)
    if there is None:
        if call.check_mode:
            return _result(call, True, manifest, where)
        try:
            put_dump(call, store, wish.folder, manifest, passphrase)
            return _result(call, True, manifest, where)
        except GoliveError as error:
            there = open_dump(store, wish.name, passphrase) if error.code == "changed" else None
            if there is None:
                raise
    if there.manifest != manifest:
        raise GoliveError(
            "name_taken",
            f"Storing {wish.name} was refused: {store.place} has another dump of that name.",
            "Give each dump a name of its own.",
        )
    return _result(call, False, manifest, where)


def fetched(call: Call, store: Store, wish: Wish, passphrase: str) -> dict[str, Any]:
    """Have the dump of the repository in the directory.

    Raises GoliveError ``name_taken`` when there is another one of its name, and as ``fetch_dump`` and ``open_dump``.
    """
    opened = _opened(store, wish.name, passphrase)
    wish.folder.check()
    where = str(wish.folder.of(wish.name))
    there = wish.folder.manifest(wish.name)
    if there is not None and there != opened.manifest:
        raise GoliveError(
            "name_taken",
            f"Fetching {wish.name} was refused: {wish.folder.path} has another dump of that name.",
            "Choose another directory.",
        )
    if there is not None:
        return _result(call, False, local_manifest(call, wish.folder, wish.name), where)
    if not call.check_mode:
        fetch_dump(call, store, opened, wish.folder, wish.wait_s)
    return _result(call, True, opened.manifest, where)


def verified(call: Call, store: Store, wish: Wish, passphrase: str) -> dict[str, Any]:
    """Read and open every byte of the dump, or of all; each is looked at before the first damage is raised.

    Raises as ``check_dump`` and ``open_dump``, with the ``damaged`` and the ``verified`` names.
    """
    names = [wish.name] if wish.name else [one.name for one in list_dumps(store).whole]
    good: list[str] = []
    bad: dict[str, GoliveError] = {}
    for name in names:
        try:
            check_dump(call, store, _opened(store, name, passphrase))
            good.append(name)
        except GoliveError as error:
            if error.code not in _DAMAGED:
                raise
            bad[name] = error
    if bad:
        first = next(iter(bad.values()))
        message = " ".join(error.message for error in bad.values())
        raise GoliveError(first.code, message, first.hint, {"verified": good, "damaged": list(bad)})
    return {"changed": False, "verified": good}


def expired(call: Call, store: Store, wish: Wish) -> dict[str, Any]:
    """Remove what retention does not keep; raises as ``expire_dumps``."""
    done = expire_dumps(call, store, wish.policy, wish.hold)
    kept = [name for name in done.names if name in done.plan.keep]
    result = {
        "changed": bool(done.plan.delete or done.leftovers),
        "removed": list(done.plan.delete),
        "kept": [{"name": name, "reasons": sorted(set(done.plan.keep[name]))} for name in kept],
        "leftovers": list(done.leftovers),
    }
    if call.diff_mode and result["changed"]:
        before = {"dumps": sorted(done.names), "leftovers": result["leftovers"]}
        result["diff"] = [diff_of(f"dumps in {store.place}", before, {"dumps": sorted(kept), "leftovers": []})]
    return result


def _opened(store: Store, name: str, passphrase: str) -> Opened:
    opened = open_dump(store, name, passphrase)
    if opened is None:
        there = ", ".join(one.name for one in list_dumps(store).whole[-_SHOWN:])
        raise GoliveError(
            "not_found",
            f"There is no dump {name} in {store.place}.",
            f"The newest are {there}." if there else "There are no dumps.",
        )
    return opened


def _result(call: Call, changed: bool, manifest: Manifest, where: str) -> dict[str, Any]:
    result = {"changed": changed, "name": manifest["name"], "manifest": manifest}
    return {**result, "diff": [diff_of(where, None, manifest)]} if call.diff_mode and changed else result


def _told(one: StoredDump) -> dict[str, Any]:
    return {"name": one.name, "written": one.written.isoformat(), "bytes": one.bytes}


_WORK: Mapping[str, Callable[[Call, Store, Wish, str], dict[str, Any]]] = {
    "stored": stored,
    "fetched": fetched,
    "verified": verified,
}
