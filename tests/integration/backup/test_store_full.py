# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store without room: what was being written is told, is not there, and goes in once there is room again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._backup.store_stream import Download, Upload
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.integration.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

_MIB = 1 << 20


@pytest.fixture
def small() -> Iterator[S3Server]:
    """A store of 48 MiB."""
    server = S3Server.create()
    disk = server.directory / "data"
    server.stop()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)], check=True)
    try:
        server.start()
        server.client().create_bucket(Bucket="small")
        yield server
    finally:
        server.stop()
        subprocess.run(["umount", str(disk)], check=True)
        server.remove()


def test_what_does_not_fit_is_told_and_is_not_there(small: S3Server) -> None:
    call = call_for_tests({})
    with Store(
        call, Place(small.endpoint, "small", REGION, "/x"), Keys(ACCESS_KEY, SECRET_KEY), ca=small.tls.ca
    ) as store:
        with pytest.raises(GoliveError) as caught:
            send(store, 64)
        assert caught.value.code == "store_full", caught.value
        assert (store.head("dump"), store.uploads()) == (None, ())
        sent = send(store, 8)
        read = Download(store, "dump", sent.size)
        read.drain()
        assert read.sha256 == sent.sha256


def send(store: Store, mebibytes: int) -> Upload:
    with Upload(store, "dump", mebibytes * _MIB) as sent:
        for _piece in range(mebibytes):
            sent.write(bytes(_MIB))
    return sent
