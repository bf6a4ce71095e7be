# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server as a pod reaches it, with the standard library of Python 3.9 alone; see ``dead_man``."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_REQUEST_S = 5.0
# Answers of a server that may answer otherwise soon.
_BUSY = (429, 500, 502, 503, 504)


class ApiError(Exception):
    """``status`` is that of HTTP, 0 without an answer. Then a write may have happened or not."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def passing(self) -> bool:
        """Whether the same question may be answered soon."""
        return self.status == 0 or self.status in _BUSY


class Api:
    """Requests with the pod's own account, each over a connection of its own."""

    def __init__(self) -> None:
        self._host = os.environ["KUBERNETES_SERVICE_HOST"]
        self._port = int(os.environ["KUBERNETES_SERVICE_PORT"])
        self._trust = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))

    def request(self, method: str, path: str, body: Any = None, content_type: str = JSON) -> Any:
        """The answer's JSON; raises ApiError."""
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=_REQUEST_S, context=self._trust)
        try:
            # The token changes while the pod runs.
            token = (_ACCOUNT / "token").read_text(encoding="utf-8").strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type, "Accept": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, f"{method} {path}: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
        found = _parsed(text)
        if status >= 300:
            raise ApiError(status, f"{method} {path}: HTTP {status}: {found.get('message') or text[:200]}")
        return found


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
