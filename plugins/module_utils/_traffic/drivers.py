# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moves traffic by shares: the interface of a driver, and what a driver must be able to do.

A driver that moves by shares is a class in files of its own that has the members of ``ShareDriver``; ``dispatch.py``
names it. The common flow (``shift.py``) calls it in this order:

1. ``read`` -> where traffic goes now. Raises ``not_found``, ``selector_foreign``, ``lease_lost``.
2. ``rights`` -> what the user must be allowed to do; missing rights are refused by the flow.
3. ``preflight`` -> every read and dry run that can refuse the move. Nothing may be written. Raises GoliveError.
4. ``needed`` -> how many pods of the colour that gains must be up; the flow waits for them (R1), and asks again before
   every ``move``, because the other colour may have grown.
5. For each share of ``stages``: ``move`` (guarded: holds only for what was read), then ``prove``.
6. After a failure behind the first ``move``: ``move`` and ``prove`` with all traffic on the other colour (R6).
7. ``move`` with no ``leaving`` once all traffic is proven to be on one colour.

Shares are whole percents by colour and their sum is 100. ``leaving`` is the colour that an unfinished move takes
traffic from; it is kept where the weights are, in the same write, so that a later run sees what a killed one did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._traffic.access import Right
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import Colour
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import Hazard
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import other
from ansible_collections.golive.cutover.plugins.module_utils._traffic.scene import Scene
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish

WEIGHT = "weight"
MATCH = "match"
MIRROR = "mirror"


@dataclass(frozen=True)
class Split:
    """Where traffic goes, as read. ``weights`` are percents by colour; ``seen`` is what the driver itself needs to
    write again (resourceVersion, positions) and nobody else looks at."""

    weights: Mapping[str, int]
    leaving: str | None = None
    previous: str | None = None
    switched_at: str | None = None
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def live(self) -> str | None:
        """The colour that takes all traffic; None while both do."""
        return next((colour for colour, share in self.weights.items() if share == 100), None)


def not_given_back(error: GoliveError, old: str, live: str | None) -> GoliveError:
    """The failure of a move whose traffic stays where it is, because ``old`` is not to have it again."""
    where = f"Traffic stays on {live}" if live else "Both colours have traffic"
    details = {**error.details, "returned": False, "live": live, "changed": True}
    return GoliveError(error.code, f"{error.message} {where}; it is not given back to {old}.", error.hint, details)


def shares(colour: str, share: int) -> dict[str, int]:
    """``share`` percent for one colour, the rest for the other; blue first."""
    both = {colour: share, other(colour): 100 - share}
    return {name: both[name] for name in sorted(both)}


class ShareDriver(Protocol):
    """A driver that can give each colour a share. Made with the call, the client and the options of the verb."""

    kind: str
    features: frozenset[str]

    def read(self) -> Split:
        """Where traffic goes now. Raises ``not_found``, ``selector_foreign`` (not ours to move), ``lease_lost``."""

    def rights(self) -> tuple[Right, ...]:
        """Verb, API group and resource of each right that a move needs."""

    def preflight(self, split: Split, wish: Wish, scene: Scene) -> tuple[Hazard, ...]:
        """Judge the move by reads and dry runs; returns hazards beyond those of ``scene``. Raises GoliveError."""

    def reached(self, split: Split, wish: Wish) -> bool:
        """Whether weights, match and mirror are already as wished (``leaving`` aside)."""

    def needed(self, split: Split, wish: Wish, colours: Mapping[str, Colour]) -> int:
        """Ready pods that the gaining colour must have before it gets its share, as ``colours`` are now."""

    def stages(self, split: Split, wish: Wish) -> tuple[int, ...]:
        """Shares of ``wish.to`` to go through, the wished one last; a first small one learns a new backend."""

    def move(self, split: Split, weights: Mapping[str, int], leaving: str | None, wish: Wish) -> Split:
        """Guarded write from ``split`` to ``weights``; returns what holds then. A new ``previous`` and
        ``switched_at`` belong to the write that gives a colour all traffic. Raises ``lease_lost``, ``write_failed``."""

    def prove(self, split: Split, wish: Wish, weights: Mapping[str, int]) -> dict[str, Any]:
        """Wait until clients see ``weights``; returns the proof with its ``level`` and numbers. Raises
        ``proof_failed``."""

    def manual_patch(self, colour: str) -> str:
        """Command that gives ``colour`` all traffic by hand."""


def need_features(kind: str, features: frozenset[str], wish: Wish) -> None:
    """Raise GoliveError ``unsupported`` with every requested feature that the driver lacks."""
    asked = {
        WEIGHT: wish.weight < 100,
        MATCH: wish.match is not None,
        MIRROR: wish.mirror > 0,
    }
    lacking = [name for name, wanted in asked.items() if wanted and name not in features]
    if lacking:
        raise GoliveError(
            "unsupported",
            f"Driver {kind} cannot do {', '.join(lacking)}.",
            f"Use a driver that can, or leave {', '.join(lacking)} out.",
            {"driver": kind, "features": lacking},
        )
