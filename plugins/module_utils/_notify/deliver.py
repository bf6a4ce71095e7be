# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One message to many targets at once, each with its own attempts and one limit of time for all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._notify.events import Message
from ansible_collections.golive.cutover.plugins.module_utils._notify.library import need_apprise
from ansible_collections.golive.cutover.plugins.module_utils._notify.noticing import Cause, cause, forget, noticing

_FIRST_WAIT_S = 0.5
# An attempt that has less time than this is none.
_LEAST_S = 0.2
_NO_URL = Cause("url_invalid", "it holds no URL that Apprise knows", False)


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery; ``cause`` is None when it succeeded."""

    service: str
    attempts: int
    seconds: float
    cause: Cause | None


def service_of(url: str) -> Any:
    """Apprise's object for the URL; None when there is none."""
    apprise = need_apprise()
    asset = apprise.AppriseAsset(
        app_id="golive.cutover",
        app_desc="golive.cutover",
        app_url="",
        async_mode=False,
        service_timeout=0,
        http_redirects=False,
        allow_templates=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    return apprise.Apprise.instantiate(url, asset=asset)


def deliver(call: Call, message: Message, urls: Mapping[str, str], attempts: int, timeout: float) -> dict[str, Outcome]:
    """By name what became of each delivery; takes ``timeout`` seconds at most. Raises Interrupted."""
    with noticing():
        works = {name: _Work(call, message, url, attempts, timeout) for name, url in urls.items()}
        try:
            for work in works.values():
                work.start()
            for work in works.values():
                call.wait(work.done, work.left() + _LEAST_S)
        finally:
            for work in works.values():
                work.stop.set()
    return {name: work.outcome() for name, work in works.items()}


def recognised(urls: Mapping[str, str]) -> dict[str, Outcome]:
    """The same without a request: whether Apprise knows each URL."""
    with noticing():
        services = {name: service_of(url) for name, url in urls.items()}
    return {
        name: Outcome("", 0, 0.0, _NO_URL) if service is None else Outcome(str(service.service_name), 0, 0.0, None)
        for name, service in services.items()
    }


class _Work(threading.Thread):
    """A daemon: a receiver that trickles is not waited for when the process ends."""

    def __init__(self, call: Call, message: Message, url: str, attempts: int, timeout: float) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.done = threading.Event()
        self._call = call
        self._message = message
        self._url = url
        self._most = attempts
        self._timeout = timeout
        self._began = call.now()
        self._seen = Outcome("", 0, 0.0, Cause("timeout", f"no answer within {timeout:g} s", True))

    def left(self) -> float:
        """Seconds until nobody waits any more."""
        return self._began + self._timeout - self._call.now()

    def outcome(self) -> Outcome:
        """What is known now."""
        seen = self._seen
        return seen if self.done.is_set() else replace(seen, seconds=round(self._call.now() - self._began, 3))

    def run(self) -> None:
        """Until it is delivered, cannot be, or its time is over."""
        try:
            self._attempts()
        except Exception as error:  # pylint: disable=broad-except
            self._note(Cause("failed", type(error).__name__, False))
        self.done.set()

    def _attempts(self) -> None:
        service = service_of(self._url)
        if service is None:
            self._note(_NO_URL)
            return
        self._seen = replace(self._seen, service=str(service.service_name))
        for attempt in range(1, self._most + 1):
            self._seen = replace(self._seen, attempts=attempt)
            failure = self._attempt(service)
            self._note(failure)
            if failure is None or not failure.again or attempt == self._most:
                return
            wait = _FIRST_WAIT_S * 2 ** (attempt - 1) if failure.after is None else failure.after
            if wait + _LEAST_S > self.left():
                return
            if self.stop.wait(wait):
                return

    def _attempt(self, service: Any) -> Cause | None:
        apprise = need_apprise()
        forget()
        service.socket_connect_timeout = service.socket_read_timeout = max(self.left(), _LEAST_S)
        many = apprise.Apprise(asset=service.asset)
        many.add(service)
        sent = many.notify(
            body=self._message.text,
            title=self._message.title,
            notify_type=apprise.NotifyType(self._message.kind),
            body_format=apprise.NotifyFormat.TEXT,
        )
        return None if sent else cause()

    def _note(self, failure: Cause | None) -> None:
        self._seen = replace(self._seen, cause=failure, seconds=round(self._call.now() - self._began, 3))
