# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the refusals of stores are called, also those that the server of the tests does not give."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from ansible_collections.golive.cutover.plugins.module_utils._backup.store_errors import answered, unanswered

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=timezone.utc)


def refusal(code: str, status: int, store_time: datetime = NOW) -> ClientError:
    headers = {"date": format_datetime(store_time, usegmt=True)}
    meta = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": meta}, "PutObject")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("RequestTimeTooSkewed", 403, "clock_skew"),
        ("SignatureDoesNotMatch", 403, "key_wrong"),
        ("InvalidAccessKeyId", 403, "key_wrong"),
        ("AccessDenied", 403, "forbidden"),
        ("NoSuchBucket", 404, "no_bucket"),
        ("NoSuchKey", 404, "not_found"),
        ("404", 404, "not_found"),
        ("PreconditionFailed", 412, "changed"),
        ("ConditionalRequestConflict", 409, "changed"),
        ("XMinioStorageFull", 507, "store_full"),
        ("QuotaExceeded", 403, "store_full"),
        ("SlowDown", 503, "store_busy"),
        ("InternalError", 500, "store_busy"),
        ("InvalidRequest", 400, "store_refused"),
    ],
)
def test_each_refusal_has_its_code(code: str, status: int, expected: str) -> None:
    error = answered(refusal(code, status), "Writing", "x in b", NOW)
    assert error.code == expected
    assert "Writing x in b failed" in error.message


def test_a_signature_that_fails_only_because_of_the_clock() -> None:
    wrong = answered(refusal("SignatureDoesNotMatch", 403, NOW + timedelta(hours=2)), "Reading", "x", NOW)
    assert wrong.code == "clock_skew"
    assert "7200 s behind" in wrong.message
    assert wrong.details == {"skew_s": 7200}


def test_no_answer() -> None:
    slow = ReadTimeoutError(endpoint_url="https://s3.example", error="timed out")
    assert unanswered(slow, "Reading x", "s3.example").code == "store_timeout"
    assert unanswered(ConnectionResetError("gone"), "Reading x", "s3.example").code == "store_broken"
    assert unanswered(ParamValidationError(report="no"), "Reading x", "s3.example").code == "store_refused"
