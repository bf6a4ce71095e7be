# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault that the real data plane does not show on demand: one route of two never learns of a switch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.traffic.forwarding import forwarding


@contextmanager
def stale_balancer(fresh: str, stale: str, identity: str = "") -> Iterator[str]:
    """Every second request goes to ``stale``, whose answer names ``identity`` as its colour when given."""
    routes = itertools.cycle([(fresh, ""), (stale, identity)])
    with forwarding(lambda: next(routes)) as url:
        yield url
