# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few API calls that the cluster's own processes make, with the standard library only."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

from .certificates import Certificates
from .record import Record


class Api:
    """One connection as `golive-own`, a cluster administrator."""

    def __init__(self, record: Record) -> None:
        pki = Certificates(record)
        self.context = ssl.create_default_context(cafile=pki.cert("ca"))
        self.context.load_cert_chain(pki.cert("own"), pki.key("own"))
        self.address = record.node_address
        self.connection = self._connect(30)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The object; empty when it is already there or already gone. Raises OSError on any other refusal."""
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status in (404, 409):
            return {}
        if answer.status >= 300:
            raise OSError(f"{method} {path}: {answer.status} {text.decode(errors='replace')[:300]}")
        return json.loads(text)

    def changes(self, path: str, version: str, seconds: int) -> Iterator[None]:
        """One item for each change of a list since `version`; ends after `seconds`."""
        watch = self._connect(seconds + 10)
        watch.request("GET", f"{path}?watch=1&timeoutSeconds={seconds}&resourceVersion={version}")
        answer = watch.getresponse()
        try:
            while answer.readline():
                yield
        finally:
            watch.close()

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.address, 6443, context=self.context, timeout=timeout)
