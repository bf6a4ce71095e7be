# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New certificates, as RFC 5280 section 4 and the clients that read it to the letter want them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:
    x509 = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import Authority
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import new_key
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import Wish

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

# Clocks of servers and clients may be behind ours by this much.
_SKEW = timedelta(minutes=5)
# ub-common-name of RFC 5280, appendix A.1.
_LONGEST_COMMON_NAME = 64
_DIGITS = 8


def new_authority(name: str, kind: str, now: datetime, days: int, others: Iterable[x509.Certificate]) -> Authority:
    """A certificate authority that signs end certificates only. Its subject is unlike that of every other one."""
    key = new_key(kind)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    stem = name[: _LONGEST_COMMON_NAME - _DIGITS - 1].rstrip("-.")
    subject = _common_name(f"{stem} {identifier.digest.hex()[:_DIGITS]}")
    builder = _builder(subject, subject, key.public_key(), now, now + timedelta(days=days))
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    return Authority(_signed(builder, key), key, tuple(others))


def new_certificate(
    wish: Wish, authority: Authority, now: datetime
) -> tuple[x509.Certificate, CertificateIssuerPrivateKeyTypes]:
    """A certificate for the wish's names with a key of its own. It ends no later than that of its authority."""
    key = new_key(wish.key)
    first = wish.names[0]
    subject = _common_name(first) if len(first) <= _LONGEST_COMMON_NAME else x509.Name([])
    end = lasting(now, wish.days, authority.certificate.not_valid_after_utc)
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    builder = (
        _builder(subject, authority.certificate.subject, key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True, key_encipherment=is_rsa), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_purposes(wish.usages)), critical=False)
        # RFC 5280 4.2.1.6: critical where the subject is empty.
        .add_extension(x509.SubjectAlternativeName(map(_general_name, wish.names)), critical=not subject.rdns)
        .add_extension(_identifier_of(authority.certificate), critical=False)
    )
    return _signed(builder, authority.key), key


def lasting(now: datetime, days: int, authority_end: datetime) -> datetime:
    """When a certificate ends that is made now."""
    return min((now + timedelta(days=days)).replace(microsecond=0), authority_end)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    begin = now.replace(microsecond=0) - _SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        # 159 random bits, more than the 64 that CA/Browser Forum BR 7.1 asks for.
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end.replace(microsecond=0))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
    # Ed25519 and Ed448 of an authority that was brought along hash by themselves.
    hashed = isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey))
    return builder.sign(key, hashes.SHA256() if hashed else None)


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _purposes(usages: Iterable[str]) -> list[x509.ObjectIdentifier]:
    known = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
    return [known[usage] for usage in usages]


def _identifier_of(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        named = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(named)


def _key_usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
