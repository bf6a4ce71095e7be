# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private keys: made, written as PKCS 8, read, and compared with a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
except ImportError:
    ec = None  # type: ignore[assignment] # None stands for a missing library

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
        PrivateKeyTypes,
        PublicKeyTypes,
    )

ECDSA = "ecdsa-p256"
RSA = "rsa-3072"
_RSA_BITS = 3072
# The one that everybody uses (FIPS 186-5, 5.4 e).
_RSA_EXPONENT = 65537


def new_key(kind: str) -> CertificateIssuerPrivateKeyTypes:
    """A fresh private key; both kinds give 128 bits of security (NIST SP 800-57 part 1, table 2)."""
    if kind == RSA:
        return rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKeyTypes) -> bytes:
    """PKCS 8 without a password, for a Secret."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(pem: bytes) -> PrivateKeyTypes:
    """The private key in ``pem``. Raises ValueError with a text of our own: that of the library could quote the key."""
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("the private key is behind a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("the private key cannot be read") from None


def belongs(key: PrivateKeyTypes, public: CertificatePublicKeyTypes) -> bool:
    """Whether ``public`` is the public half of ``key``."""
    return _public_bytes(key.public_key()) == _public_bytes(public)


def kind_of(public: CertificatePublicKeyTypes) -> str:
    """``ecdsa-p256``, ``rsa-3072``, or what else it is in the same form."""
    if isinstance(public, rsa.RSAPublicKey):
        return f"rsa-{public.key_size}"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return ECDSA if isinstance(public.curve, ec.SECP256R1) else f"ecdsa-{public.curve.name}"
    return public.__class__.__name__


def _public_bytes(public: PublicKeyTypes) -> bytes:
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
