# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A live copy of a collection, kept by list and watch."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

try:
    import urllib3
except ImportError:
    urllib3 = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

_WATCH_S = 240
_QUIET_S = 300.0
_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Mirror:
    """Objects of one collection by UID, up to date until closed.

    A thread lists, then watches from the list's resourceVersion; 410 Gone or a broken stream lists again. ``changed``
    may be shared by several mirrors: it is set at every change and at trouble, the reader clears it before reading.
    Use as a context manager: leaving it ends the thread.
    """

    def __init__(
        self, client: Client, path: str, query: Mapping[str, Any] | None = None, changed: threading.Event | None = None
    ) -> None:
        self.changed = changed or threading.Event()
        self._client = client
        self._path = path
        self._query = dict(query or {})
        self._lock = threading.Lock()
        self._objects: dict[str, dict[str, Any]] = {}
        self._deleted: set[str] = set()
        self._kind: dict[str, Any] = {}
        self._synced = False
        self._trouble: GoliveError | None = None
        self._stop = threading.Event()
        self._answer: Any = None
        self._thread = threading.Thread(target=self._follow, name=f"mirror {path}", daemon=True)

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        answer = self._answer
        if answer is not None:
            # Closing would wait for the reader's lock until the next event. This wakes it, from urllib3 2.3 on.
            with suppress(AttributeError, ValueError, RuntimeError, OSError):
                answer.shutdown()
        self._thread.join(timeout=2.0)

    @property
    def synced(self) -> bool:
        """Whether the first list has arrived."""
        return self._synced

    @property
    def trouble(self) -> GoliveError | None:
        """Why the copy is stale right now; None while list and watch work."""
        return self._trouble

    @property
    def deleted(self) -> frozenset[str]:
        """UIDs that were seen and are gone."""
        with self._lock:
            return frozenset(self._deleted)

    def items(self) -> list[dict[str, Any]]:
        """The objects as of now. Treat them as read-only."""
        with self._lock:
            return list(self._objects.values())

    def _follow(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                version = self._list()
                failures = 0
                self._watch(version)
            except Interrupted:
                return
            except GoliveError as error:
                self._trouble = None if error.code == "gone" else error
                self.changed.set()
                failures += error.code != "gone"
            except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
                # Closing the stream from another thread surfaces as any of these; a new list tells what is true.
                failures += not self._synced
            if failures:
                self._stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S)) - 1])

    def _list(self) -> str:
        page = self._client.request("GET", self._path, query=self._query, retry=False)
        if self._stop.is_set():
            return ""
        self._kind = {"apiVersion": page.get("apiVersion"), "kind": str(page.get("kind", "")).removesuffix("List")}
        found = {item["metadata"]["uid"]: {**self._kind, **item} for item in page["items"] or []}
        with self._lock:
            self._deleted |= self._objects.keys() - found.keys()
            self._objects = found
        self._synced = True
        self._trouble = None
        self.changed.set()
        return str(page["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        while not self._stop.is_set():
            query = {**self._query, "watch": True, "resourceVersion": version, "allowWatchBookmarks": True}
            with self._client.stream(self._path, {**query, "timeoutSeconds": _WATCH_S}, _QUIET_S) as answer:
                self._answer = answer
                if self._stop.is_set():
                    return
                for line in _lines(answer):
                    version = self._take(json.loads(line)) or version
                    if self._stop.is_set():
                        return

    def _take(self, event: dict[str, Any]) -> str:
        obj = event["object"]
        if event["type"] == "ERROR":
            code = "gone" if obj.get("code") == 410 else "server_error"
            raise GoliveError(code, f"Watching {self._path} ended: {obj.get('message')}")
        uid = obj["metadata"].get("uid")
        with self._lock:
            if event["type"] == "DELETED":
                self._objects.pop(uid, None)
                self._deleted.add(uid)
            elif event["type"] != "BOOKMARK":
                self._objects[uid] = {**self._kind, **obj}
        if event["type"] != "BOOKMARK":
            self.changed.set()
        return str(obj["metadata"]["resourceVersion"])


def _lines(answer: Any) -> Any:
    rest = b""
    for chunk in answer.stream(amt=None, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())
