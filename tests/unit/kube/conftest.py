# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of a server that answers as told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from tests.unit.kube.fault_server import Script, fault_server


class ImpatientCall(Call):
    """A call whose pauses are only noted."""

    def pause(self, seconds: float) -> None:
        """Note the pause instead of waiting."""
        self.alive()
        PAUSES.append(seconds)


PAUSES: list[float] = []


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the client of this test asked for."""
    PAUSES.clear()
    return PAUSES


@pytest.fixture
def script() -> Iterator[Script]:
    """The server's script."""
    with fault_server() as running:
        yield running


@pytest.fixture
def client(script: Script, pauses: list[float]) -> Iterator[Client]:
    """A client whose waits between tries take no time."""
    params: dict[str, Any] = {"host": script.url, "api_key": "token-of-the-test", "validate_certs": True}
    with connected(ImpatientCall(params=params)) as made:
        yield made
