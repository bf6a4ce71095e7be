# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about an authority and a certificate, before anything is made or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import (
    CERTIFICATE,
    Authority,
    authority_from,
    still_valid,
)
from ansible_collections.golive.cutover.plugins.module_utils._certificates.facts import Facts, stamp
from ansible_collections.golive.cutover.plugins.module_utils._certificates.issue import lasting
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import belongs, read_key
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import facts_of, read_certificates
from ansible_collections.golive.cutover.plugins.module_utils._certificates.rules import AS_WANTED, Verdict, judged
from ansible_collections.golive.cutover.plugins.module_utils._certificates.shown import CHAIN, PRIVATE
from ansible_collections.golive.cutover.plugins.module_utils._certificates.stored import (
    AUTHORITY_ROLE,
    CERTIFICATE_ROLE,
    has_labels,
)
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import Wish
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.secrets import data_of


@dataclass(frozen=True)
class AuthorityPlan:
    """``authority`` is the one to keep, None when a new one is made beside ``others``."""

    verdict: Verdict
    authority: Authority | None
    others: tuple[x509.Certificate, ...]


@dataclass(frozen=True)
class CertificatePlan:
    """``facts`` are of the certificate to keep, None when a new one is made."""

    verdict: Verdict
    facts: Facts | None


def authority_plan(secret: Mapping[str, Any] | None, wish: Wish, now: datetime, renew: bool) -> AuthorityPlan:
    """What to do about the authority.

    Raises GoliveError ``ca_unusable`` or ``ca_expired`` for one that only ``renew`` may replace.
    """
    if secret is None:
        return AuthorityPlan(Verdict("absent", f"there is no Secret {wish.ca_name}"), None, ())
    data = data_of(secret)
    try:
        authority = authority_from(data)
    except ValueError as error:
        if not renew:
            raise _unusable(wish, str(error)) from error
        return AuthorityPlan(Verdict("unreadable", str(error)), None, still_valid(_trusted(data), now))
    trusted = (authority.certificate, *authority.others)
    if renew:
        return AuthorityPlan(Verdict("asked", "renew_ca asks for a new one"), None, still_valid(trusted, now))
    end = authority.certificate.not_valid_after_utc
    if end <= now:
        raise GoliveError(
            "ca_expired",
            f"Signing with the certificate authority in the Secret {wish.ca_name} failed: it ended on {stamp(end)}.",
            "Run once with renew_ca: true, and give clients the new ca.crt.",
        )
    gone = len(trusted) - len(authority.bundle(now))
    verdict = AS_WANTED
    if gone:
        verdict = Verdict("bundle_differs", f"{gone} of {len(trusted)} certificates in its ca.crt have expired")
    elif not has_labels(secret, AUTHORITY_ROLE, wish.labels):
        verdict = Verdict("labels_differ", "it lacks labels")
    return AuthorityPlan(verdict, authority, authority.others)


def certificate_plan(
    secret: Mapping[str, Any] | None, authority: Authority | None, wish: Wish, now: datetime, renew: bool
) -> CertificatePlan:
    """What to do about the certificate, where ``authority`` is None when a new one is made."""
    if secret is None:
        return CertificatePlan(Verdict("absent", f"there is no Secret {wish.name}"), None)
    data = data_of(secret)
    missing = [key for key in (CHAIN, PRIVATE) if not data.get(key)]
    if missing:
        return CertificatePlan(Verdict("unreadable", f"it has no {' and no '.join(missing)}"), None)
    try:
        certificate = read_certificates(data[CHAIN])[0]
        key = read_key(data[PRIVATE])
    except ValueError as error:
        return CertificatePlan(Verdict("unreadable", str(error)), None)
    facts = facts_of(certificate)
    if authority is None or not authority.has_issued(certificate):
        ours = f"{facts_of(authority.certificate).subject}" if authority else "the new one"
        text = f"it was signed by {facts.issuer}, not by {ours} of the Secret {wish.ca_name}"
        return CertificatePlan(Verdict("other_ca", text), None)
    if not belongs(key, certificate.public_key()):
        return CertificatePlan(Verdict("key_differs", "tls.key is not the key of the certificate"), None)
    verdict = judged(facts, wish, now, lasting(now, wish.days, authority.certificate.not_valid_after_utc))
    if not verdict and renew:
        verdict = Verdict("asked", "renew asks for a new one")
    if verdict:
        return CertificatePlan(verdict, None)
    if _trusted(data) != authority.bundle(now):
        verdict = Verdict("bundle_differs", f"its ca.crt is not that of the Secret {wish.ca_name}")
    elif not has_labels(secret, CERTIFICATE_ROLE, wish.labels):
        verdict = Verdict("labels_differ", "it lacks labels")
    return CertificatePlan(verdict, facts)


def is_ending(authority: Authority, wish: Wish, now: datetime) -> bool:
    """Whether the authority ends so soon that no certificate can be renewed any more."""
    return authority.certificate.not_valid_after_utc - now < timedelta(days=wish.renew_days)


def _trusted(data: Mapping[str, bytes]) -> tuple[x509.Certificate, ...]:
    try:
        return read_certificates(data.get(CERTIFICATE, b""))
    except ValueError:
        return ()


def _unusable(wish: Wish, text: str) -> GoliveError:
    return GoliveError(
        "ca_unusable",
        f"Using the certificate authority in the Secret {wish.ca_name} failed: {text}.",
        "Put ca.crt and ca.key back as they were, or run once with renew_ca: true for a new one, which clients must"
        " learn to trust.",
    )
