# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as strict verifiers want them: cryptography's own, and OpenSSL's with -x509_strict."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import Authority
from ansible_collections.golive.cutover.plugins.module_utils._certificates.issue import new_authority, new_certificate
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import belongs, key_pem, read_key
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import certificates_pem, facts_of
from tests.unit.certificates.samples import NOW, a_wish, an_authority

KINDS = ["ecdsa-p256", "rsa-3072"]


def verify(leaf: x509.Certificate, trusted: list[x509.Certificate], name: str, at: timedelta = timedelta(0)) -> None:
    """Raise VerificationError unless a client of ``name`` accepts ``leaf``."""
    subject: x509.DNSName | x509.IPAddress = x509.DNSName(name)
    if name.replace(".", "").isdigit() or ":" in name:
        subject = x509.IPAddress(ipaddress.ip_address(name))
    PolicyBuilder().store(Store(trusted)).time(NOW + at).build_server_verifier(subject).verify(leaf, [])


@pytest.mark.parametrize("kind", KINDS)
def test_the_chain_is_accepted_for_each_name_and_no_other(kind: str) -> None:
    authority = an_authority(kind)
    leaf, _key = new_certificate(a_wish(key=kind), authority, NOW)
    for name in ("shop.example.org", "localhost", "127.0.0.1", "::1"):
        verify(leaf, [authority.certificate], name)
        verify(leaf, [authority.certificate], name, timedelta(minutes=-4))
    for wrong in ("other.example.org", "127.0.0.2"):
        with pytest.raises(VerificationError):
            verify(leaf, [authority.certificate], wrong)
    with pytest.raises(VerificationError):
        verify(leaf, [an_authority().certificate], "localhost")
    with pytest.raises(VerificationError):
        verify(leaf, [authority.certificate], "localhost", timedelta(days=398))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("usage", ["server", "client"])
def test_openssl_accepts_it_to_the_letter(kind: str, usage: str, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl")
    authority = an_authority(kind)
    leaf, _key = new_certificate(a_wish(key=kind, usages=[usage]), authority, NOW)
    trusted, file = tmp_path / "ca.crt", tmp_path / "tls.crt"
    trusted.write_text(certificates_pem([authority.certificate]))
    file.write_text(certificates_pem([leaf]))
    verified = {}
    for purpose in ("sslserver", "sslclient"):
        command = [openssl, "verify", "-x509_strict", "-purpose", purpose, "-attime", str(int(NOW.timestamp()))]
        host = ["-verify_hostname", "shop.example.org", "-CAfile", str(trusted), str(file)]
        done = subprocess.run([*command, *host], capture_output=True, text=True, check=False)
        verified[purpose] = done.returncode == 0
    assert verified == {"sslserver": usage == "server", "sslclient": usage == "client"}


def extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.Extension[x509.ExtensionType]:
    return certificate.extensions.get_extension_for_class(kind)


def test_what_rfc_5280_asks_of_the_authority() -> None:
    certificate = an_authority().certificate
    limits = extension(certificate, x509.BasicConstraints)
    assert (limits.critical, limits.value) == (True, x509.BasicConstraints(ca=True, path_length=0))
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert own.digest == named.key_identifier
    assert certificate.not_valid_before_utc == NOW.replace(microsecond=0) - timedelta(minutes=5)
    assert an_authority().certificate.subject != certificate.subject


@pytest.mark.parametrize("kind", KINDS)
def test_what_rfc_5280_asks_of_the_certificate(kind: str) -> None:
    authority = an_authority()
    certificate, key = new_certificate(a_wish(key=kind, usages=["client", "server"]), authority, NOW)
    limits = extension(certificate, x509.BasicConstraints)
    assert (limits.critical, limits.value) == (True, x509.BasicConstraints(ca=False, path_length=None))
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_cert_sign) == (True, False)
    assert usage.value.key_encipherment is (kind == "rsa-3072")
    named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert named.key_identifier == own.digest
    assert not extension(certificate, x509.SubjectAlternativeName).critical
    facts = facts_of(certificate)
    assert facts.usages == ("client", "server")
    assert facts.names == a_wish().names
    assert facts.common_name == "shop.example.org"
    assert facts.key == kind
    assert certificate.serial_number.bit_length() > 64
    assert belongs(key, certificate.public_key())


def test_keys_and_serials_are_never_used_twice() -> None:
    authority = an_authority()
    made = [new_certificate(a_wish(), authority, NOW) for _number in range(20)]
    assert len({certificate.serial_number for certificate, _key in made}) == 20
    assert len({key_pem(key) for _certificate, key in made}) == 20


def test_a_name_too_long_for_a_common_name_leaves_the_subject_empty() -> None:
    name = "a" * 40 + "." + "b" * 40 + ".svc"
    authority = an_authority()
    certificate, _key = new_certificate(a_wish(names=[name]), authority, NOW)
    assert certificate.subject.rfc4514_string() == ""
    assert extension(certificate, x509.SubjectAlternativeName).critical
    verify(certificate, [authority.certificate], name)


def test_a_long_name_of_an_authority_still_fits() -> None:
    authority = new_authority("x" * 200, "ecdsa-p256", NOW, 10, ())
    assert len(facts_of(authority.certificate).common_name) == 64


def test_it_ends_no_later_than_its_authority() -> None:
    authority = an_authority(days=100)
    certificate, _key = new_certificate(a_wish(), authority, NOW)
    assert certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_both_authorities_are_trusted_after_a_change() -> None:
    old = an_authority()
    new = new_authority("shop-ca", "ecdsa-p256", NOW, 3650, (old.certificate,))
    for authority in (old, new):
        leaf, _key = new_certificate(a_wish(), authority, NOW)
        verify(leaf, list(new.bundle(NOW)), "localhost")


def test_a_server_of_an_authority_below_another_sends_what_lies_between() -> None:
    root, below = an_authority(), an_authority()
    subject = below.certificate.subject
    between = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(root.certificate.subject)
        .public_key(below.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=10))
        .sign(root.key, root.certificate.signature_hash_algorithm)  # type: ignore[arg-type]
    )
    assert Authority(between, below.key, (root.certificate,)).intermediates() == (between,)
    assert root.intermediates() == ()


def test_keys_are_pkcs8_without_a_password_and_read_again() -> None:
    _certificate, key = new_certificate(a_wish(), an_authority(), NOW)
    pem = key_pem(key)
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert belongs(read_key(pem), key.public_key())
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(ValueError, match="behind a password"):
        read_key(locked)
    with pytest.raises(ValueError, match="cannot be read"):
        read_key(pem[:-60])
