# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``tls_secret``: a certificate authority of the app's own, and a certificate signed by it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tls_secret
short_description: Keep a TLS certificate and its own certificate authority in Secrets, and renew it in time
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Makes a certificate authority and a certificate signed by it where they are missing, each in a Secret of its own.
  - Makes the certificate anew, with a new private key, when it ends soon or is not what the options ask for. RV(reason)
    tells why.
  - An authority is never replaced unless O(renew_ca) says so, because its clients would trust nothing any more.
  - Private keys are made where the task runs, are in the Secrets, and nowhere else.
options:
  namespace:
    description: Namespace of both Secrets.
    type: str
    required: true
  name:
    description:
      - Name of the Secret with the certificate, of the type V(kubernetes.io/tls). Its keys are C(tls.crt), C(tls.key)
        and C(ca.crt), which is what a client trusts.
    type: str
    required: true
  ca:
    description: The certificate authority.
    type: dict
    required: true
    suboptions:
      name:
        description:
          - Name of its Secret with the keys C(ca.crt) and C(ca.key). Several certificates may name the same.
        type: str
        required: true
      days:
        description: Days that a new one lasts.
        type: int
        default: 3650
  names:
    description:
      - DNS names and IP addresses that the certificate is for. The first is its common name too, unless it has more
        than 64 letters.
    type: list
    elements: str
    required: true
  usages:
    description: What the certificate is for.
    type: list
    elements: str
    choices: [server, client]
    default: [server]
  days:
    description: Days that a new certificate lasts; never longer than its authority.
    type: int
    default: 397
  renew_days:
    description: The certificate is renewed when fewer days are left.
    type: int
    default: 30
  key:
    description:
      - Kind of the private key. A new authority gets a key of the same kind; one that exists keeps its own.
    type: str
    choices: [ecdsa-p256, rsa-3072]
    default: ecdsa-p256
  labels:
    description: Labels of both Secrets. Others that they carry stay.
    type: dict
  adopt:
    description:
      - Whether Secrets of these names that this module has not made are taken over. What is in them stays when it fits.
        Without it they are refused.
    type: bool
    default: false
  renew:
    description: Make a new certificate now.
    type: bool
    default: false
  renew_ca:
    description:
      - Make a new certificate authority now, and a new certificate with it. The authorities before it stay in C(ca.crt)
        until they expire, so that a client with the new C(ca.crt) trusts certificates of both.
      - A certificate authority that cannot be read, or has expired, is replaced by this too.
    type: bool
    default: false
extends_documentation_fragment:
  - golive.cutover.kube
requirements:
  - cryptography >= 42
attributes:
  check_mode:
    description: Can run in check mode and tell what would change.
    support: full
    details:
      - It only reads. Rights to write are not asked for.
  diff_mode:
    description: Returns what has changed, or would change in check mode.
    support: full
    details:
      - Names, dates, issuers, fingerprints and labels; never a private key.
  idempotent:
    description: A second run with the same options changes nothing.
    support: partial
    details:
      - Without O(renew) and O(renew_ca), until the certificate ends soon.
notes:
  - It needs the rights to get, create and update Secrets in the namespace.
  - Dates are those of the clock where the task runs. A certificate begins five minutes earlier, for clocks that are
    behind.
seealso:
  - module: golive.cutover.kube_apply
"""

EXAMPLES = r"""
- name: Keep the certificate of the database
  golive.cutover.tls_secret:
    namespace: shop
    name: shop-postgres-tls
    ca:
      name: shop-postgres-ca
    names:
      - shop-postgres.shop.svc
      - shop-postgres.shop.svc.cluster.local
      - shop-postgres
  register: certificate

- name: Begin to use a new certificate authority
  golive.cutover.tls_secret:
    namespace: shop
    name: shop-postgres-tls
    ca:
      name: shop-postgres-ca
    names:
      - shop-postgres.shop.svc
    renew_ca: true
"""

RETURN = r"""
reason:
  description:
    - Why the Secret of the certificate was written, or would be in check mode.
    - A new certificate for V(absent), V(unreadable), V(other_ca), V(key_differs), V(names_differ), V(usages_differ),
      V(not_yet_valid), V(expires) and V(asked).
    - The same certificate with another C(ca.crt) for V(bundle_differs), with other labels for V(labels_differ).
    - V(none) when it was not written.
  returned: success
  type: str
  sample: expires
detail:
  description: The same for a person, such as who has signed the certificate that was there; empty for V(none).
  returned: success
  type: str
  sample: it ends on 2027-01-04T10:00:00Z, in fewer than 30 days
not_after:
  description: End of the certificate in UTC; null in check mode when a new one would be made.
  returned: success
  type: str
  sample: "2027-12-31T10:00:00Z"
serial:
  description: Its serial number in hexadecimal; null in check mode when a new one would be made.
  returned: success
  type: str
fingerprint_sha256:
  description: SHA-256 of it in hexadecimal; null in check mode when a new one would be made.
  returned: success
  type: str
ca_changed:
  description: Whether C(ca.crt) of the authority has changed, so that clients with a copy need the new one.
  returned: success
  type: bool
ca_reason:
  description:
    - Why the Secret of the authority was written, or would be. A new one for V(absent), V(unreadable) and V(asked); the
      same for V(bundle_differs), when earlier ones have expired, and V(labels_differ); V(none) when it was not.
  returned: success
  type: str
ca_detail:
  description: The same for a person; empty for V(none).
  returned: success
  type: str
ca_certificate:
  description:
    - What a client trusts, in PEM; the authority first, then earlier ones that have not expired. Null in check mode
      when a new authority would be made.
  returned: success
  type: str
ca_not_after:
  description: End of the authority's certificate in UTC; null in check mode when a new one would be made.
  returned: success
  type: str
code:
  description:
    - Machine-readable code of the failure, such as V(foreign_secret), V(secret_type), V(immutable), V(ca_unusable),
      V(ca_expired), V(name_invalid), V(days_invalid), V(forbidden) or V(lease_lost).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import ECDSA, RSA
from ansible_collections.golive.cutover.plugins.module_utils._certificates.tls_secret import tls_secret
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "ca": {
            "type": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "days": {"type": "int", "default": 3650},
            },
        },
        "names": {"type": "list", "elements": "str", "required": True},
        "usages": {"type": "list", "elements": "str", "choices": ["server", "client"], "default": ["server"]},
        "days": {"type": "int", "default": 397},
        "renew_days": {"type": "int", "default": 30},
        "key": {"type": "str", "choices": [ECDSA, RSA], "default": ECDSA, "no_log": False},
        "labels": {"type": "dict"},
        "adopt": {"type": "bool", "default": False},
        "renew": {"type": "bool", "default": False},
        "renew_ca": {"type": "bool", "default": False},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return tls_secret(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
