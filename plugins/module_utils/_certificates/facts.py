# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate says, in plain types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Facts:
    """One certificate. ``serial`` and ``fingerprint`` (SHA-256) are hexadecimal, dates in UTC.

    ``names`` are DNS names and addresses, ``usages`` ``server`` and ``client``, ``key`` such as ``ecdsa-p256``; what
    has no such name is there in the library's own words.
    """

    subject: str
    common_name: str
    issuer: str
    names: tuple[str, ...]
    usages: tuple[str, ...]
    key: str
    not_before: datetime
    not_after: datetime
    serial: str
    fingerprint: str

    def row(self) -> dict[str, Any]:
        """What a diff shows."""
        return {
            "names": list(self.names),
            "usages": list(self.usages),
            "key": self.key,
            "issuer": self.issuer,
            "not_before": stamp(self.not_before),
            "not_after": stamp(self.not_after),
            "serial": self.serial,
            "fingerprint_sha256": self.fingerprint,
        }


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
