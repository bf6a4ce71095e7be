# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of certificates as a diff may show them: who, until when, by whom; never a key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import CERTIFICATE
from ansible_collections.golive.cutover.plugins.module_utils._certificates.facts import stamp
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import facts_of, read_certificates
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import Wish
from ansible_collections.golive.cutover.plugins.module_utils._kube.secrets import data_of

CHAIN = "tls.crt"
PRIVATE = "tls.key"
_NEW = "(new)"


def shown_secret(secret: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Labels, names of the keys, and what the certificates say; None for none."""
    if secret is None:
        return None
    data = data_of(secret)
    return {
        "labels": dict(secret["metadata"].get("labels") or {}),
        "keys": sorted(data),
        **{key: _shown_certificates(data[key]) for key in (CHAIN, CERTIFICATE) if key in data},
    }


def foretold_certificate(wish: Wish, issuer: str | None, not_after: datetime) -> dict[str, Any]:
    """The certificate that check mode would have made."""
    return {
        "names": list(wish.names),
        "usages": list(wish.usages),
        "key": wish.key,
        "issuer": issuer or _NEW,
        "not_before": _NEW,
        "not_after": _day(not_after),
        "serial": _NEW,
        "fingerprint_sha256": _NEW,
    }


def foretold_authority(kind: str, not_after: datetime) -> dict[str, Any]:
    """The authority that check mode would have made."""
    return {
        "subject": _NEW,
        "key": kind,
        "not_after": _day(not_after),
        "fingerprint_sha256": _NEW,
    }


def about_certificates(data: Mapping[str, bytes], key: str) -> str:
    """In words, what the first certificate under ``key`` is."""
    try:
        facts = facts_of(read_certificates(data[key])[0])
    except (KeyError, ValueError):
        return f"{key} holds no certificate that can be read"
    names = ", ".join(facts.names) or facts.subject
    return f"its certificate for {names} was signed by {facts.issuer} and ends on {stamp(facts.not_after)}"


def _day(moment: datetime) -> str:
    # The run that makes it begins later than this one.
    return f"{moment:%Y-%m-%d}"


def _shown_certificates(pem: bytes) -> list[dict[str, Any]]:
    try:
        return [{"subject": facts.subject, **facts.row()} for facts in map(facts_of, read_certificates(pem))]
    except ValueError as error:
        return [{"unreadable": str(error)}]
