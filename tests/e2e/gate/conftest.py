# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same stand as the traffic tests: a namespace with a database, and an app in one colour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.traffic.conftest import space
from tests.e2e.traffic.stand import Shop

__all__ = ["space"]


@pytest.fixture(scope="module")
def blue(space: str) -> Iterator[Shop]:
    """An app whose blue colour is live."""
    app = Shop(space)
    app.deploy("blue", wait=False)
    app.services()
    app.rolled_out("blue")
    yield app
    app.remove()
