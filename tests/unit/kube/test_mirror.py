# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A live copy through broken streams and expired versions."""

from __future__ import annotations

import json
import threading
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.mirror import Mirror
from tests.unit.kube.fault_server import RESET, Script


def _pod(uid: str, version: str) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "name": uid, "resourceVersion": version}}


def _listed(version: str, *pods: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": version}, "items": list(pods)}


def _events(*events: tuple[str, dict[str, Any]]) -> tuple[int, bytes]:
    return 200, b"".join(json.dumps({"type": kind, "object": obj}).encode() + b"\n" for kind, obj in events)


def _until(mirror: Mirror, uids: set[str]) -> bool:
    for _turn in range(100):
        mirror.changed.clear()
        if {row["metadata"]["uid"] for row in mirror.items()} == uids:
            return True
        mirror.changed.wait(0.1)
    return False


def test_a_list_then_its_changes(client: Client, script: Script) -> None:
    changes = _events(("ADDED", _pod("b", "2")), ("DELETED", _pod("a", "3")), ("MODIFIED", _pod("b", "4")))
    script.on("/pods", _listed("1", _pod("a", "1")), changes, _events())
    with Mirror(client, "/pods") as mirror:
        assert _until(mirror, {"b"})
        assert mirror.deleted == {"a"}
        assert mirror.items()[0]["kind"] == "Pod"
        assert mirror.trouble is None
    assert script.asked[1][2]["resourceVersion"] == "1"


def test_an_expired_version_lists_again(client: Client, script: Script) -> None:
    gone = _events(("ERROR", {"code": 410, "message": "too old resource version"}))
    script.on("/pods", _listed("1", _pod("a", "1")), gone, _listed("9", _pod("b", "9")), _events())
    with Mirror(client, "/pods") as mirror:
        assert _until(mirror, {"b"})
        assert mirror.deleted == {"a"}


def test_a_broken_stream_goes_on(client: Client, script: Script) -> None:
    script.on("/pods", _listed("1"), RESET, _listed("2", _pod("a", "2")), _events())
    with Mirror(client, "/pods") as mirror:
        assert _until(mirror, {"a"})


def test_trouble_is_told_until_it_is_over(client: Client, script: Script) -> None:
    script.on("/pods", (403, {"message": "not yours"}), (403, {"message": "not yours"}), _listed("1"), _events())
    with Mirror(client, "/pods") as mirror:
        mirror.changed.wait(5)
        assert mirror.trouble is not None
        assert mirror.trouble.code == "forbidden"
        for _turn in range(100):
            if mirror.synced:
                break
            mirror.changed.clear()
            mirror.changed.wait(0.1)
        assert mirror.trouble is None


def test_leaving_ends_the_thread(client: Client, script: Script) -> None:
    script.on("/pods", _listed("1"), _events())
    with Mirror(client, "/pods"):
        pass
    assert not [one for one in threading.enumerate() if one.name == "mirror /pods"]
