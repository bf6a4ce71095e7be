# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of the gate's own, for a release that too few users ask for a verdict in time.

They are not judged here: the release counts them as it counts those of users, and its counters are what is tested.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.ask_http import url_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_options import MOST_RATE, place_faults
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Prober, Target
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import Sprt

# Users are watched for so many scrapes before it is said that they are too few.
_WATCHED_SCRAPES = 2
# But not for a greater part of the gate's time than this.
_WATCHED_SHARE = 0.25


class OwnLoad:
    """The load of one check, from when it is needed to the end of the gate; never more than the option's ``rate``."""

    def __init__(self, check: Mapping[str, Any], reach: Reach) -> None:
        self._name = f"{check['name']} (own load)"
        self._options = check["low_sample"]
        self._timeout: float = check["timeout"]
        self._reach = reach
        self._begun = time.monotonic()
        self._seconds: float = check["seconds"]
        self._rate = 0.0
        self._prober: Prober | None = None
        self._trouble = ""

    def help(self, test: Sprt, scrape_s: float) -> None:
        """Begin the load when ``test`` would not pass in time with the events that users cause."""
        now = time.monotonic()
        watched = now - self._begun
        if self._prober is not None or watched < min(_WATCHED_SCRAPES * scrape_s, _WATCHED_SHARE * self._seconds):
            return
        # What is sent is counted one scrape later, and a scrape may just have been missed.
        left = max(scrape_s, self._seconds - watched - 2 * scrape_s)
        missing = test.left_to_pass / left - test.total / watched
        if missing <= 0:
            return
        try:
            self._start(min(missing, self._options["rate"]))
        except GoliveError as error:
            self._trouble = error.message

    @property
    def numbers(self) -> dict[str, Any] | None:
        """``rate`` a second, requests ``sent``, and those ``failed`` of them; None as long as nothing was sent."""
        if self._prober is None:
            return None
        rows = self._prober.ledger().values()
        failed = sum(sum(row["failed"].values()) for row in rows)
        return {"rate": round(self._rate, 2), "sent": sum(row["sent"] for row in rows), "failed": failed}

    @property
    def told(self) -> str:
        """In words; empty as long as it was not needed."""
        found = self.numbers
        if found is None:
            return self._trouble and f"; users are too few, and the gate cannot send requests: {self._trouble}"
        failed = f" ({found['failed']} failed)" if found["failed"] else ""
        return f"; users are too few, so {found['sent']} requests{failed} are the gate's own"

    def _start(self, rate: float) -> None:
        options = self._options
        way = self._reach.way(self._name, options["tunnel"])
        target = Target(
            url=url_of(options),
            timeout=self._timeout,
            headers=dict(options["headers"] or {}),
            address=way.place,
            validate_certs=options["validate_certs"],
            ca_cert=options["ca_cert"],
        )
        stack = ExitStack()
        # The tunnel is open already, so the load ends before it.
        self._reach.on_close(stack.close)
        self._rate = rate
        self._prober = stack.enter_context(Prober(target, rate / 2, limit=self._reach.limit))


def low_sample_faults(check: Mapping[str, Any]) -> list[str]:
    """What is wrong with the option ``low_sample`` of a check."""
    options = check["low_sample"]
    if not options:
        return []
    faults = [] if check["counters"] else ["low_sample belongs to counters: nothing else is tested by their number"]
    faults += place_faults(options, "low_sample.")
    if not 0 < options["rate"] <= MOST_RATE:
        faults.append(f"low_sample.rate must be greater than 0 and at most {MOST_RATE:g}")
    return faults
