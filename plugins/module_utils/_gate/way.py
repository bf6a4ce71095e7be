# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of one look: where it connects to, and whether a tunnel is to blame for an answer that did not come."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look, of_way
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address


class Way:
    """``place`` is the local end of the tunnel, None without one. Make a new one for every look."""

    def __init__(self, address: Address | None) -> None:
        self.place = (address[0], address[1]) if address else None
        self._address = address
        self._known = address.trouble if address else None

    @property
    def opening(self) -> bool:
        """Whether the API has not yet said that it reached the pod."""
        return self._address is not None and self._address.stuck() is not None

    @property
    def broken(self) -> GoliveError | None:
        """What went wrong in the tunnel since this look began; None when it did its part."""
        if self._address is None:
            return None
        trouble = self._address.trouble
        return trouble if trouble is not self._known else self._address.stuck()

    def failed(self, seen: str) -> Look:
        """The look that got no answer: unknown when the way broke, else bad."""
        broken = self.broken
        return of_way(broken) if broken else Look(False, seen)
