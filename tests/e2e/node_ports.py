# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's node ports, shared out so that tests side by side do not take each other's."""

from __future__ import annotations

import os
import random
from functools import cache

from tests.e2e.conftest import kubectl

# The live and the preview port are those of the local inventory; the Gateway takes the next one.
_RESERVED = 3


@cache
def _turn() -> list[str]:
    """This worker's share. In a random order, because another run may be on the same cluster."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    share = os.environ["GOLIVE_NODE_PORTS"].split()[_RESERVED + worker :: workers]
    random.shuffle(share)
    return share


def free_node_port() -> int:
    """One that no Service has, each in its turn: a namespace that is still going keeps its own."""
    used = kubectl("get", "services", "-A", "-o", "jsonpath={.items[*].spec.ports[*].nodePort}").split()
    turn = _turn()
    found = next((port for port in turn if port not in used), None)
    assert found, f"no node port is free: {used}"
    turn.remove(found)
    turn.append(found)
    return int(found)
