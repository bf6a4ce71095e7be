# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wishes and certificates for the tests of this directory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import Authority
from ansible_collections.golive.cutover.plugins.module_utils._certificates.issue import new_authority
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import key_pem
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import certificates_pem
from ansible_collections.golive.cutover.plugins.module_utils._certificates.stored import (
    CERTIFICATE_ROLE,
    secret_with,
)
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import Wish, wish_from

NOW = datetime(2026, 11, 30, 12, 0, 0, 250_000, tzinfo=timezone.utc)
_OPTIONS: dict[str, Any] = {
    "namespace": "shop",
    "name": "shop-tls",
    "ca": {"name": "shop-ca", "days": 3650},
    "names": ["shop.example.org", "localhost", "127.0.0.1", "::1"],
    "usages": ["server"],
    "days": 397,
    "renew_days": 30,
    "key": "ecdsa-p256",
    "labels": None,
    "adopt": False,
    "renew": False,
    "renew_ca": False,
}


def a_wish(**options: Any) -> Wish:
    """The wish of a call with these options."""
    return wish_from({**_OPTIONS, **options})


def an_authority(kind: str = "ecdsa-p256", now: datetime = NOW, days: int = 3650) -> Authority:
    """A fresh one."""
    return new_authority("shop-ca", kind, now, days, ())


def authority_data(authority: Authority) -> dict[str, bytes]:
    """What its Secret holds."""
    trusted = (authority.certificate, *authority.others)
    return {"ca.crt": certificates_pem(trusted).encode(), "ca.key": key_pem(authority.key)}


def a_secret(data: Mapping[str, bytes], role: str = CERTIFICATE_ROLE) -> dict[str, Any]:
    """A Secret of ours that holds ``data``."""
    return secret_with(None, "shop", "x", role, {}, data)
