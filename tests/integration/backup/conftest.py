# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real S3 server, and a bucket of one's own in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.integration.s3 import S3Server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One server for all tests that do not stop or freeze it."""
    server = S3Server.create(versions=True)
    yield server
    server.remove()


@pytest.fixture
def bucket(s3: S3Server) -> str:
    """An empty bucket."""
    name = f"b-{secrets.token_hex(4)}"
    s3.client().create_bucket(Bucket=name)
    return name
