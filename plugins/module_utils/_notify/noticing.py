# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a delivery failed. Apprise says only that it did, and tells the reason, with the URL, to its log."""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

try:
    import requests
except ImportError:
    requests = None  # type: ignore[assignment] # None stands for a missing library

_BUSY = (408, 425, 429)


@dataclass(frozen=True)
class Cause:
    """``again`` is whether another attempt may succeed, ``after`` the seconds that the receiver asked to wait."""

    code: str
    reason: str
    again: bool
    after: float | None = None


UNSAID = Cause("refused", "the service did not accept the message", False)


class _Noticed(threading.local):
    status: int | None = None
    after: str | None = None
    error: BaseException | None = None


_noticed = _Noticed()


class _Listener(logging.Handler):
    """Takes the exception under way when Apprise logs something; the text, which may hold a token, goes nowhere."""

    def emit(self, record: logging.LogRecord) -> None:
        _noticed.error = (record.exc_info or sys.exc_info())[1] or _noticed.error


_listener = _Listener(logging.DEBUG)


@contextmanager
def noticing() -> Iterator[None]:
    """While messages are sent: answers and exceptions are noticed by thread, and nothing reaches a log."""
    log = logging.getLogger("apprise")
    # For good: a delivery that nobody waits for any more must not reach Ansible's log either.
    log.propagate = False
    log.setLevel(logging.DEBUG)
    if _listener not in log.handlers:
        log.addHandler(_listener)
    logging.getLogger("urllib3").propagate = False
    send = requests.Session.send

    def noted(session: Any, request: Any, **options: Any) -> Any:
        answer = send(session, request, **options)
        _noticed.status, _noticed.after = answer.status_code, answer.headers.get("Retry-After")
        return answer

    # Its own hooks are per session, and Apprise makes the sessions.
    requests.Session.send = noted  # type: ignore[assignment, method-assign] # so that it can be put back
    try:
        yield
    finally:
        requests.Session.send = send  # type: ignore[method-assign] # as it was


def forget() -> None:
    """Before an attempt."""
    _noticed.status = _noticed.after = _noticed.error = None


def cause() -> Cause:
    """Why the attempt of this thread failed, in words that hold nothing of the URL."""
    if _noticed.error is not None:
        return _of_error(_noticed.error)
    if _noticed.status is None or _noticed.status < 300:
        return UNSAID
    return _of_status(_noticed.status, _noticed.after)


def _of_status(status: int, after: str | None) -> Cause:
    again = status in _BUSY or status >= 500
    seconds = float(after) if again and after is not None and after.isdigit() else None
    if status in (401, 403):
        return Cause("auth_failed", f"the receiver refused the credentials (HTTP {status})", False)
    return Cause("busy" if again else "refused", f"the receiver answered HTTP {status}", again, seconds)


def _of_error(error: BaseException) -> Cause:
    chain = list(_chain(error))
    # The innermost says most.
    for inner in reversed(chain):
        known = _known(inner)
        if known is not None:
            return known
    if any(isinstance(inner, OSError) for inner in chain):
        return Cause("unreachable", "the connection broke", True)
    return Cause("failed", f"{type(error).__name__}", False)


def _known(error: BaseException) -> Cause | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause("certificate", "its certificate is not trusted", False)
    if isinstance(error, ssl.SSLError):
        return Cause("certificate", "TLS could not be agreed on", False)
    if isinstance(error, TimeoutError) or (requests is not None and isinstance(error, requests.Timeout)):
        return Cause("timeout", "no answer in time", True)
    if isinstance(error, socket.gaierror):
        return Cause("unreachable", "its host name is not known", True)
    if isinstance(error, ConnectionRefusedError):
        return Cause("unreachable", "it refused the connection", True)
    return _known_of_mail(error)


def _known_of_mail(error: BaseException) -> Cause | None:
    # A mail that a server has seen is not sent again: it may have reached some of its recipients.
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Cause("auth_failed", f"the mail server refused the login ({error.smtp_code})", False)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _text in error.recipients.values()})
        return Cause("refused", f"the mail server refused the recipients ({', '.join(map(str, codes))})", False)
    if isinstance(error, smtplib.SMTPConnectError):
        return Cause("unreachable", f"the mail server takes no connections now ({error.smtp_code})", True)
    if isinstance(error, smtplib.SMTPResponseException):
        return Cause("refused", f"the mail server answered {error.smtp_code}", False)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Cause("refused", "the mail server ended the connection", False)
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inside = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((one for one in inside if isinstance(one, BaseException)), None)
