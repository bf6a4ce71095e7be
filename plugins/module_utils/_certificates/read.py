# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates out of PEM."""

from __future__ import annotations

from collections.abc import Iterable

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:
    x509 = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._certificates.facts import Facts
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import kind_of


def read_certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """All certificates in ``pem``, in order, each readable to its last extension; raises ValueError."""
    try:
        found = tuple(x509.load_pem_x509_certificates(pem))
        for one in found:
            facts_of(one)
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise ValueError(f"the certificate cannot be read: {error}") from error
    return found


def certificates_pem(certificates: Iterable[x509.Certificate]) -> str:
    """PEM of all, in order."""
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode("ascii") for one in certificates)


def facts_of(certificate: x509.Certificate) -> Facts:
    """What it says."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Facts(
        subject=certificate.subject.rfc4514_string(),
        common_name=str(common[0].value) if common else "",
        issuer=certificate.issuer.rfc4514_string(),
        names=_names(certificate),
        usages=_usages(certificate),
        key=kind_of(certificate.public_key()),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=f"{certificate.serial_number:x}",
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    plain = (x509.DNSName, x509.IPAddress)
    return tuple(str(one.value) if isinstance(one, plain) else repr(one) for one in named)


def _usages(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        used = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    known = {ExtendedKeyUsageOID.SERVER_AUTH: "server", ExtendedKeyUsageOID.CLIENT_AUTH: "client"}
    return tuple(sorted(known.get(one, one.dotted_string) for one in used))
