# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server's refusals mean to a person."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "bad_request",
    409: "conflict",
    410: "gone",
    413: "too_large",
    415: "bad_request",
    422: "invalid",
    429: "busy",
}
_HINTS = {
    "bad_request": "Correct what the server's message names.",
    "invalid": "Correct the value that the server's message names.",
    "too_large": "Split the object; the server stores about 1 MiB of one.",
    "unauthorized": "Renew the credentials: the token or certificate is missing, wrong or expired.",
    "forbidden": "Ask for the missing right, or use a context that has it.",
    "quota_exceeded": "Raise the ResourceQuota of the namespace, or lower replicas or requests.",
    "pod_security": "Harden the pod until the namespace's Pod Security level admits it.",
    "busy": "The API server asks to slow down; try again later.",
    "server_error": "Look at the API server and at the webhooks it calls; then run again.",
    "unknown_field": "Correct the spelling of the field; kubectl explain lists what there is.",
    "webhook_refused": "The cluster's own rules refused the object; the message names the rule.",
}


def api_error(method: str, path: str, status: int, body: bytes | str) -> GoliveError:
    """The error of an answer with ``status`` ≥ 400; ``details`` hold ``status``, ``reason``, ``server_message`` and the
    server's ``causes``.

    Codes: those of ``_CODES``, ``quota_exceeded`` and ``pod_security`` and ``webhook_refused`` out of 403 and 400,
    ``already_exists`` out of 409, ``unknown_field`` for a misspelt one, ``server_error`` for 5xx.
    """
    answer = _status_object(body)
    message = str(answer.get("message") or "").strip() or f"HTTP status {status} without a message"
    reason = str(answer.get("reason") or "")
    code = _code(status, reason, message)
    return GoliveError(
        code,
        f"{_verb(method)} {path} was refused: {message}",
        _HINTS.get(code),
        {
            "status": status,
            "reason": reason,
            "server_message": message,
            "causes": (answer.get("details") or {}).get("causes") or [],
        },
    )


def _code(status: int, reason: str, message: str) -> str:
    if reason == "AlreadyExists":
        return "already_exists"
    if status == 403 and "exceeded quota" in message:
        return "quota_exceeded"
    if status == 403 and "violates PodSecurity" in message:
        return "pod_security"
    if "field not declared in schema" in message or ("strict decoding error" in message and "unknown field" in message):
        return "unknown_field"
    if "failed to create typed patch object" in message:
        # The server answers 500 for a value of the wrong type under server-side apply.
        return "invalid"
    if "admission webhook" in message and status < 500:
        return "webhook_refused"
    return _CODES.get(status, "server_error" if status >= 500 else "bad_request")


def _status_object(body: bytes | str) -> dict[str, Any]:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        answer = json.loads(text)
    except ValueError:
        return {"message": text[:500]}
    return answer if isinstance(answer, dict) else {"message": text[:500]}


def _verb(method: str) -> str:
    return {"GET": "Reading", "POST": "Creating", "PUT": "Replacing", "PATCH": "Changing", "DELETE": "Deleting"}[method]
