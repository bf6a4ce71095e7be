# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the repositories of backups."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``repositories_spec`` of ``module_utils/_backup/repositories.py``."""

    DOCUMENTATION = r"""
options:
  repositories:
    description: One or two places that everything is kept in, the first is C(repo1) of pgBackRest.
    type: list
    elements: dict
    required: true
    suboptions:
      endpoint:
        description: Host of the S3 server, without scheme and port. TLS is always used.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 443
      bucket:
        description: The bucket, which must exist.
        type: str
        required: true
      region:
        description: Region of the bucket.
        type: str
        default: us-east-1
      path:
        description: Where in the bucket; nobody else may use the same.
        type: str
        required: true
      uri_style:
        description: Whether the bucket is part of the path or of the host in a request.
        type: str
        choices: [path, host]
        default: path
      secret:
        description: The Secret with the keys of the S3 server.
        type: dict
        required: true
        suboptions:
          name:
            description: Name of the Secret.
            type: str
            required: true
          key:
            description: Key inside the Secret that holds the access key.
            type: str
            default: access_key
          secret_key:
            description: Key inside the Secret that holds the secret key.
            type: str
            default: secret_key
      ca_secret:
        description: The Secret with the authority of the server's certificate. Without it the image must know that.
        type: dict
        suboptions:
          name:
            description: Name of the Secret.
            type: str
            required: true
          key:
            description: Key inside the Secret.
            type: str
            default: ca.crt
      tunnel:
        description: The way to a store inside of the cluster, for verbs that speak to it themselves. Jobs need none.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Service.
            type: str
            required: true
          service:
            description: Its name.
            type: str
            required: true
          port:
            description: Number or name of its port. Without it that of the store.
            type: str
requirements:
  - botocore >= 1.40
"""
