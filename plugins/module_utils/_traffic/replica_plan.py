# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many pods of each colour give a wished share of traffic. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError


@dataclass(frozen=True)
class Sizes:
    """Pods of the colour that gains and of the one that is left."""

    new: int
    old: int

    @property
    def share(self) -> int:
        """Percent of connections that new gets, as a data plane without weights spreads them."""
        return round(100 * self.new / (self.new + self.old)) if self.new + self.old else 0


def sizes_for(weight: int, base: int, most: int, tolerance: int) -> Sizes:
    """The fewest pods whose share is within ``tolerance`` points of ``weight`` percent (1 to 99).

    Old never goes below ``base``, the pods that carry all traffic before: a return then needs no new pod. Raises
    GoliveError ``unsupported`` when more than ``most`` pods would be needed, with the shares that can be had.
    """
    found = _fewest(weight, base, most, tolerance)
    if found is not None:
        return found
    need = _fewest(weight, base, 100 * (base + 1), tolerance)
    allowed = sorted({Sizes(new, old).share for old in range(base, most) for new in range(1, most - old + 1)})
    told = ", ".join(str(share) for share in allowed) or "nothing"
    raise GoliveError(
        "unsupported",
        f"A share of {weight} % by number of pods needs {need.new + need.old if need else 'too many'} pods;"
        f" {most} are allowed.",
        f"Ask for one of {told}, allow more pods (pods.most), or use a gateway.",
        {"driver": "replicas", "features": ["weight"], "shares": allowed},
    )


def _fewest(weight: int, base: int, most: int, tolerance: int) -> Sizes | None:
    for total in range(base + 1, most + 1):
        wished = weight * total / 100
        near = {math.floor(wished), math.ceil(wished)}
        fitting = [
            Sizes(new, total - new)
            for new in near
            if 1 <= new <= total - base and abs(100 * new / total - weight) <= tolerance
        ]
        if fitting:
            return min(fitting, key=lambda sizes: abs(100 * sizes.new / total - weight))
    return None
