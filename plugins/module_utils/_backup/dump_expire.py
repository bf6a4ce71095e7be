# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove stored dumps that the plan of ``retention`` does not keep, and what killed runs have left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.golive.cutover.plugins.module_utils._backup.dump_objects import list_dumps
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import FULL, Entry, Plan, Policy, plan
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call

_ENGINE = "pg_dump"
# Younger ones may be of a run that is at work.
_LEFT = timedelta(hours=24)


@dataclass(frozen=True)
class Expired:
    """``names`` are those of all dumps before; ``leftovers`` those of objects that belong to none."""

    names: tuple[str, ...]
    plan: Plan
    leftovers: tuple[str, ...]


def expire_dumps(call: Call, store: Store, policy: Policy, hold: Collection[str]) -> Expired:
    """Keep to the plan; in check mode only tell it. Raises as ``plan`` and the store."""
    found, now = list_dumps(store), call.date()
    rows = [Entry(one.name, FULL, one.written, family=_ENGINE, held=one.name in hold) for one in found.whole]
    made = plan(rows, policy, now)
    loose = [one.name for one in found.loose if now - one.modified > _LEFT]
    begun = [one for one in found.begun if now - one.begun > _LEFT]
    if not call.check_mode:
        objects = {one.name: one.objects for one in found.whole}
        for name in [*(part for dump in made.delete for part in objects[dump]), *loose]:
            call.alive()
            store.delete(name)
        for one in begun:
            call.alive()
            store.remove_upload(one.name, one.upload)
    left = sorted({*loose, *(one.name for one in begun)})
    return Expired(tuple(one.name for one in found.whole), made, tuple(left))
