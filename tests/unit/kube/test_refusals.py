# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server's refusals become."""

from __future__ import annotations

import json

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._kube.refusals import api_error


@pytest.mark.parametrize(
    ("status", "reason", "message", "code"),
    [
        (401, "Unauthorized", "Unauthorized", "unauthorized"),
        (403, "Forbidden", 'pods is forbidden: User "x" cannot list', "forbidden"),
        (403, "Forbidden", 'configmaps "a" is forbidden: exceeded quota: q, requested: 1', "quota_exceeded"),
        (403, "Forbidden", 'pods "a" is forbidden: violates PodSecurity "restricted:latest"', "pod_security"),
        (400, "BadRequest", 'admission webhook "w" denied the request', "webhook_refused"),
        (400, "BadRequest", 'strict decoding error: unknown field "spec.x"', "unknown_field"),
        (500, "", "failed to create typed patch object (a; v1): .x: field not declared in schema", "unknown_field"),
        (500, "", "failed to create typed patch object (a; v1): .x: expected numeric, got string", "invalid"),
        (409, "AlreadyExists", "exists", "already_exists"),
        (409, "Conflict", "Operation cannot be fulfilled", "conflict"),
        (410, "Expired", "too old resource version", "gone"),
        (422, "Invalid", "is invalid", "invalid"),
        (429, "TooManyRequests", "slow", "busy"),
        (503, "ServiceUnavailable", "down", "server_error"),
        (418, "", "teapot", "bad_request"),
    ],
)
def test_codes(status: int, reason: str, message: str, code: str) -> None:
    error = api_error("PATCH", "/x", status, json.dumps({"reason": reason, "message": message}))
    assert error.code == code
    assert message in error.message
    assert error.details["status"] == status


def test_an_answer_that_is_no_status_is_quoted_in_part() -> None:
    error = api_error("GET", "/x", 502, b"<html>" + b"x" * 5000)
    assert error.code == "server_error"
    assert "<html>" in error.message
    assert len(error.message) < 700


def test_an_empty_answer_names_the_status() -> None:
    assert "HTTP status 500" in api_error("GET", "/x", 500, b"").message
