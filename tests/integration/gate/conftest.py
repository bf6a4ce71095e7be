# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Prometheus servers: one to ask, and one of its own for each test that breaks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.prometheus import Prometheus

LOAD = 'load_average{pod="old"}'


def _started() -> Prometheus:
    server = Prometheus.create()
    server.exporter.lines[LOAD] = 1.0
    server.await_value("load_average", 1.0)
    return server


@pytest.fixture(scope="module")
def shared() -> Iterator[Prometheus]:
    """A running server that no test may break."""
    server = _started()
    yield server
    server.remove()


@pytest.fixture
def prometheus(shared: Prometheus) -> Prometheus:
    """The shared server with nothing but a load average of 1 on its exporter."""
    shared.exporter.lines = {LOAD: 1.0}
    shared.await_value("count(load_average) + (count(requests_total) or vector(0)) + (count(memory) or vector(0))", 1.0)
    return shared


@pytest.fixture
def own() -> Iterator[Prometheus]:
    """A server of this test's own, to be broken."""
    server = _started()
    yield server
    server.remove()
