# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server that keeps what it gets."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass
class Mailbox:
    """Its port, what came, and the answer to each RCPT, where it is another one."""

    port: int
    got: list[EmailMessage] = field(default_factory=list)
    refuses: str = ""

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        return "250 taken"


@contextmanager
def taking_mail(user: str = "", password: str = "") -> Iterator[Mailbox]:
    """A mail server on a free port, which asks for a login where one is given."""
    # Controller knocks at the port that it is given, so it cannot be 0.
    with socket.create_server(("127.0.0.1", 0)) as free:
        mailbox = Mailbox(free.getsockname()[1])

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=good, handled=False)

    login: dict[str, Any] = {"authenticator": known, "auth_required": True, "auth_require_tls": False} if user else {}
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **login)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
