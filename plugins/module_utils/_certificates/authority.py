# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority: its certificate, its key, and the certificates of those before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
except ImportError:
    x509 = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import belongs, read_key
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import read_certificates

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

CERTIFICATE = "ca.crt"
KEY = "ca.key"


@dataclass(frozen=True)
class Authority:
    """``others`` are what clients trust or need beside ``certificate``: earlier authorities, or its own issuers."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes
    others: tuple[x509.Certificate, ...] = ()

    def bundle(self, now: datetime) -> tuple[x509.Certificate, ...]:
        """What clients trust: its own certificate first, then those of the others that have not expired."""
        return (self.certificate, *still_valid(self.others, now))

    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """What a server sends behind its own certificate: none for a root, else all up to the one below the root."""
        found: list[x509.Certificate] = []
        above: x509.Certificate | None = self.certificate
        while above is not None and above not in found and not issued_by(above, above):
            found.append(above)
            above = next((one for one in self.others if issued_by(found[-1], one)), None)
        return tuple(found)

    def has_issued(self, certificate: x509.Certificate) -> bool:
        """Whether its key has signed ``certificate``."""
        return issued_by(certificate, self.certificate)


def still_valid(certificates: tuple[x509.Certificate, ...], now: datetime) -> tuple[x509.Certificate, ...]:
    """Those that have not expired."""
    return tuple(one for one in certificates if one.not_valid_after_utc > now)


def authority_from(data: Mapping[str, bytes]) -> Authority:
    """The authority that a Secret's ``ca.crt`` and ``ca.key`` hold; raises ValueError that says why it is none."""
    missing = [key for key in (CERTIFICATE, KEY) if not data.get(key)]
    if missing:
        raise ValueError(f"it has no {' and no '.join(missing)}")
    certificates = read_certificates(data[CERTIFICATE])
    key = read_key(data[KEY])
    first, others = certificates[0], certificates[1:]
    if not belongs(key, first.public_key()):
        raise ValueError("ca.key is not the key of the first certificate in ca.crt")
    if not _may_sign(first):
        raise ValueError("the first certificate in ca.crt is not one of an authority that may sign certificates")
    if not any(issued_by(first, issuer) for issuer in certificates):
        raise ValueError("the first certificate in ca.crt was signed by another authority, whose own is not in ca.crt")
    return Authority(first, key, others)  # type: ignore[arg-type] # its public half stands in a certificate


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the key of ``issuer`` has signed ``certificate``, and their names agree."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        if not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return False
