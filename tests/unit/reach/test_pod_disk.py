# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod says of its volume, and what is made of it when it says nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._reach import pod_disk

HEAD = "Filesystem     1024-blocks      Used Available Capacity Mounted on\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (HEAD + "/dev/sdb 10255636 1048576 9190676 11% /var/lib/postgresql/data\n", (9190676 * 1024, 10255636 * 1024)),
        (HEAD, None),
        ("", None),
        (GoliveError("forbidden", "Running sh in pod db-0 failed."), None),
    ],
)
def test_bytes_or_nothing(monkeypatch: pytest.MonkeyPatch, answer: Any, expected: tuple[int, int] | None) -> None:
    asked: list[tuple[Any, ...]] = []

    def run(*arguments: Any, **_options: Any) -> str:
        asked.append(arguments[1:])
        if isinstance(answer, GoliveError):
            raise answer
        return str(answer)

    monkeypatch.setattr(pod_disk, "run_in_pod", run)
    assert pod_disk.room_in_pod(cast(Client, None), "shop", "db-0") == expected
    assert asked == [("shop", "db-0", ("sh", "-c", 'df -Pk "$PGDATA"'))]
