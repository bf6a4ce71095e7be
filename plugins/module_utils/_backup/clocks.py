# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks that cannot all be right: what was stored or committed cannot lie in the future. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import stamp

# What clocks that NTP keeps differ by is far less.
_TOLERATED = timedelta(seconds=5)


def clock_faults(seen: Mapping[str, datetime | None], now: datetime) -> list[str]:
    """What lies in the future, by the word for it: a sentence for each."""
    return [
        f"{what} of {stamp(at)} is {(at - now).total_seconds():.0f} s in the future: a clock is wrong,"
        " that of this machine, of the store or of the server, and no time and no age of a backup can be believed"
        for what, at in seen.items()
        if at is not None and at > now + _TOLERATED
    ]
