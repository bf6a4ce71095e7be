# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a request to an object store failed, as something that a person can act on."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

try:
    import botocore.exceptions as failures
except ImportError:
    failures = None  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# Beyond this the signature of a request is refused (AWS: 15 minutes), and time stamps cannot be compared.
_NOTED_SKEW_S = 60.0
_BUSY = ("InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling")
_KEY_WRONG = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "InvalidToken")
_FULL = ("QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "EntityTooLarge", "StorageFull")
_MISSING = ("NoSuchKey", "NoSuchVersion", "404", "NotFound")


def answered(error: Any, what: str, where: str, now: datetime) -> GoliveError:
    """The reason in a refusal (``botocore.exceptions.ClientError``).

    ``what`` begins the message, ``where`` names the bucket, ``now`` is our clock. Codes: ``clock_skew``, ``key_wrong``,
    ``forbidden``, ``no_bucket``, ``not_found``, ``changed``, ``store_full``, ``store_busy`` and ``store_refused``.
    """
    answer: Mapping[str, Any] = error.response
    code = str((answer.get("Error") or {}).get("Code") or "")
    told = str((answer.get("Error") or {}).get("Message") or "").strip() or code
    meta = answer.get("ResponseMetadata") or {}
    status = int(meta.get("HTTPStatusCode") or 0)
    skew = _skew(meta, now)
    if code == "RequestTimeTooSkewed" or (code in _KEY_WRONG and skew is not None and abs(skew) > _NOTED_SKEW_S):
        apart = "by more than it allows" if skew is None else f"{abs(skew):.0f} s {'behind' if skew > 0 else 'ahead'}"
        return GoliveError(
            "clock_skew",
            f"{what} {where} failed: the clock here is {apart} of the store's, so that it takes no signature.",
            "Set the clock of this machine (NTP), or that of the store.",
            {"skew_s": None if skew is None else round(skew)},
        )
    if code in _KEY_WRONG:
        return GoliveError(
            "key_wrong",
            f"{what} {where} failed: the store does not accept the key ({code}).",
            "Check the access key, the secret key and the region.",
        )
    if code == "NoSuchBucket":
        return GoliveError(
            "no_bucket", f"{what} {where} failed: there is no such bucket.", "Create it, or name another."
        )
    if code in ("PreconditionFailed", "ConditionalRequestConflict") or status == 412:
        return GoliveError("changed", f"{what} {where} failed: somebody else has written it meanwhile.", "Run again.")
    if code in _MISSING or status == 404:
        return GoliveError("not_found", f"{what} {where} failed: it is not there ({code}).")
    if code in _FULL or status == 507:
        return GoliveError(
            "store_full", f"{what} {where} failed: the store is full ({told}).", "Make room in the store."
        )
    if code in _BUSY or status in (429, 500, 502, 503, 504):
        return GoliveError("store_busy", f"{what} {where} failed: the store is busy ({told}).", "Run again later.")
    if status in (401, 403):
        return GoliveError(
            "forbidden", f"{what} {where} failed: the key may not do that ({told}).", "Grant it, or use another key."
        )
    return GoliveError("store_refused", f"{what} {where} failed: {told} (HTTP {status}).")


def unanswered(error: BaseException, what: str, endpoint: str) -> GoliveError:
    """The reason why no answer came: ``ca_unknown``, ``no_name``, ``store_timeout``, ``store_broken``, ``unreachable``.

    ``store_broken`` is a connection that the store has ended in between.
    """
    causes = list(_causes(error))
    # Texts too: libraries put some causes into words only.
    texts = " ".join(str(cause) for cause in causes)
    bad = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if bad is not None or "CERTIFICATE_VERIFY_FAILED" in texts or "doesn't match" in texts:
        reason = (bad.verify_message if bad is not None else "") or "it is not trusted, or is for another name"
        return GoliveError(
            "ca_unknown",
            f"{what} failed: the certificate of {endpoint} was refused ({reason}).",
            "Name the certificate authority of the store in ca_secret, and the endpoint as its certificate does.",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes) or "Failed to resolve" in texts:
        return GoliveError(
            "no_name",
            f"{what} failed: there is no address for {endpoint}.",
            "Check the endpoint; for a store inside of a cluster set tunnel.",
        )
    if isinstance(error, (failures.ConnectTimeoutError, failures.ReadTimeoutError)) or "timed out" in texts:
        return GoliveError(
            "store_timeout",
            f"{what} failed: {endpoint} does not answer.",
            "Look at the store: it takes connections but does not work, or something on the way drops them.",
        )
    refused = any(isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED for cause in causes)
    if refused or "Connection refused" in texts:
        return GoliveError(
            "unreachable", f"{what} failed: nobody listens at {endpoint}.", "Check that the store runs, and its port."
        )
    if isinstance(error, (failures.ProxyConnectionError, failures.EndpointConnectionError)):
        return GoliveError(
            "unreachable", f"{what} failed: {endpoint} cannot be reached: {error}", "Check the way to it."
        )
    broken = (failures.HTTPClientError, failures.ConnectionError, failures.IncompleteReadError, OSError)
    if not isinstance(error, broken):
        return GoliveError("store_refused", f"{what} failed: {error}")
    return GoliveError(
        "store_broken", f"{what} failed: {endpoint} has ended the connection: {error}", "Look at the store; run again."
    )


def _skew(meta: Mapping[str, Any], now: datetime) -> float | None:
    """Seconds that the store's clock is ahead of ours."""
    stamp = (meta.get("HTTPHeaders") or {}).get("date")
    try:
        return (parsedate_to_datetime(stamp) - now).total_seconds() if stamp else None
    except ValueError:
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and whatever is inside of it: botocore and urllib3 keep causes in attributes and arguments."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inside = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        inside += list((getattr(one, "kwargs", None) or {}).values())
        waiting += [cause for cause in inside if isinstance(cause, BaseException)]
