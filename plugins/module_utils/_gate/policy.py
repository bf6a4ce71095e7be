# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inconclusive gate leads to, by its reason (reference 4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.bands import meant
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    INFRA_NOISE,
    LOW_SAMPLE,
    NO_DATA,
    PROVIDER_DOWN,
    UNDECIDED,
)

REASONS = (NO_DATA, LOW_SAMPLE, PROVIDER_DOWN, INFRA_NOISE, UNDECIDED)
EXTEND = "extend"
# From the strongest to the weakest: of several reasons the strongest action counts.
ACTIONS = ("return", "abort", "hold", EXTEND)
# Before the shift nothing is lost by giving up. After it, users are on the new release, and returning them because
# something could not be measured would be as wrong as passing.
_BEFORE = {NO_DATA: "abort", LOW_SAMPLE: EXTEND, PROVIDER_DOWN: "abort", INFRA_NOISE: EXTEND, UNDECIDED: EXTEND}
_AFTER = {NO_DATA: "hold", LOW_SAMPLE: EXTEND, PROVIDER_DOWN: "hold", INFRA_NOISE: "hold", UNDECIDED: EXTEND}


@dataclass(frozen=True)
class Policy:
    """An action for every reason; ``last`` is what follows where extending did not help."""

    actions: Mapping[str, str]
    last: str

    @property
    def extends(self) -> frozenset[str]:
        """Reasons for which the gate is given its time once more."""
        return frozenset(reason for reason, action in self.actions.items() if action == EXTEND)

    def action(self, reasons: Iterable[str]) -> str:
        """What the play should do: ``return``, ``abort`` or ``hold``."""
        chosen = {self.actions[reason] for reason in reasons}
        found = {self.last if action == EXTEND else action for action in chosen}
        return min(found or {self.last}, key=ACTIONS.index)


def read_policy(given: Any, after_shift: bool) -> tuple[Policy, list[str]]:
    """The policy of the option ``on_inconclusive`` (one action, or a dictionary of them by reason), and its faults."""
    base = dict(_AFTER if after_shift else _BEFORE)
    last = "hold" if after_shift else "abort"
    if given is None:
        return Policy(base, last), []
    if isinstance(given, str):
        faults = [] if given in ACTIONS else [f"on_inconclusive: {meant(given, ACTIONS)}"]
        return Policy(dict.fromkeys(REASONS, given), last), faults
    if not isinstance(given, Mapping):
        return Policy(base, last), ["on_inconclusive must be an action, or a dictionary of reasons and actions"]
    faults = [f"on_inconclusive: {meant(str(reason), REASONS)}" for reason in given if reason not in REASONS]
    faults += [
        f"on_inconclusive.{reason}: {meant(str(action), ACTIONS)}"
        for reason, action in given.items()
        if reason in REASONS and action not in ACTIONS
    ]
    return Policy({**base, **given}, last), faults
