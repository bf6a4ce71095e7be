# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a certificate is replaced, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.golive.cutover.plugins.module_utils._certificates.facts import Facts, stamp
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import Wish


@dataclass(frozen=True)
class Verdict:
    """``reason`` is machine-readable, ``none`` when all is as wanted; ``detail`` says the same to a person."""

    reason: str
    detail: str

    def __bool__(self) -> bool:
        return self.reason != "none"


AS_WANTED = Verdict("none", "")


def is_due(now: datetime, not_after: datetime, renew_days: int, reachable: datetime) -> bool:
    """Whether fewer than ``renew_days`` are left, and a certificate made now would last longer, until ``reachable``.

    Without the second, each run in the last days of an authority would make a certificate that ends with it.
    """
    return not_after - now < timedelta(days=renew_days) and reachable > not_after


def judged(facts: Facts, wish: Wish, now: datetime, reachable: datetime) -> Verdict:
    """Whether a certificate of the right authority is what the wish asks for."""
    if facts.key != wish.key:
        return Verdict("key_differs", f"its key is {facts.key}, not {wish.key}")
    common = (facts.common_name.lower(),) if facts.common_name else ()
    if set(facts.names) != set(wish.names) or not set(common) <= {wish.names[0]}:
        return Verdict("names_differ", f"it is for {_listed(facts.names)}, not for {_listed(wish.names)}")
    if facts.usages != wish.usages:
        return Verdict("usages_differ", f"it is for use as {_listed(facts.usages)}, not as {_listed(wish.usages)}")
    if facts.not_before > now:
        return Verdict("not_yet_valid", f"it begins on {stamp(facts.not_before)}")
    if is_due(now, facts.not_after, wish.renew_days, reachable):
        return Verdict("expires", f"it ends on {stamp(facts.not_after)}, in fewer than {wish.renew_days} days")
    return AS_WANTED


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words) or "nothing"
