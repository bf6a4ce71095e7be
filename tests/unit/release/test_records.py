# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases and configuration a history keeps, and which it gives up."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._release.records import (
    Release,
    find,
    garbage,
    newest_first,
    read_record,
)


def record(number: int, version: str = "", config: str = "") -> dict[str, Any]:
    """The ConfigMap of a release that went live at minute ``number``."""
    sources = [{"configMapRef": {"name": config}}] if config else []
    content = {
        "id": f"id{number}",
        "version": version or f"{number}.0.0",
        "image": "shop",
        "live_at": f"2026-01-01T00:{number:02}:00Z",
        "pod": json.dumps({"spec": {"containers": [{"name": "app", "envFrom": sources}]}}),
    }
    return {"metadata": {"name": f"shop-release-{number}"}, "data": {"release.json": json.dumps(content)}}


def releases(*maps: dict[str, Any]) -> list[Release]:
    found = [read_record(one) for one in maps]
    return [one for one in found if one]


def test_what_is_no_record_is_passed_over() -> None:
    wrong = [{}, {"release.json": "{"}, {"release.json": "[]"}, {"release.json": json.dumps({"id": 7, "pod": "{}"})}]
    assert [read_record({"metadata": {"name": "x"}, "data": data}) for data in wrong] == [None] * 4


def test_a_list_leaves_the_pod_out() -> None:
    (one,) = releases(record(1))
    assert one.row().keys() == {"id", "version", "image", "live_at"}


def test_an_id_comes_before_a_version_and_a_version_means_the_newest() -> None:
    rows = releases(record(1, "a"), record(2, "a"), record(3, "id1"))
    assert [one.id for one in newest_first(rows)] == ["id3", "id2", "id1"]
    found = [find(rows, wanted) for wanted in ("id1", "a", "b")]
    assert [one.id if one else None for one in found] == ["id1", "id2", None]


def test_only_what_nothing_needs_is_garbage() -> None:
    rows = releases(*(record(number, config=f"env-{number}") for number in range(1, 6)))
    configuration = [("ConfigMap", f"env-{number}") for number in (*range(1, 6), 9)] + [("Secret", "keys-1")]
    gone = garbage(rows, keep=2, used=["id1", ""], configuration=configuration, read={("ConfigMap", "env-9")})
    assert gone == [
        ("ConfigMap", "shop-release-3"),
        ("ConfigMap", "shop-release-2"),
        ("ConfigMap", "env-2"),
        ("ConfigMap", "env-3"),
        ("Secret", "keys-1"),
    ]
