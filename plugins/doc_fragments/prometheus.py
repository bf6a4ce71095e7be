# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option that says where a Prometheus is."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``prometheus_spec`` of ``module_utils/_monitor/login.py``."""

    DOCUMENTATION = r"""
options:
  prometheus:
    description:
      - Where Prometheus is and how to log in. With O(tunnel) it needs no address.
    type: dict
    suboptions:
      url:
        description: Its address without the path of the API.
        type: str
      path:
        description: Path in front of the one of the API, where it has one.
        type: str
      token_secret:
        description: Key of a Kubernetes Secret that holds a token.
        type: dict
        suboptions: &secret
          namespace:
            description: Namespace of the Secret.
            type: str
            required: true
          name:
            description: Name of the Secret.
            type: str
            required: true
          key:
            description: Key inside the Secret.
            type: str
            required: true
      username:
        description: Name to log in with. Needs O(prometheus.password_secret).
        type: str
      password_secret:
        description: Key of a Kubernetes Secret that holds the password.
        type: dict
        suboptions: *secret
      validate_certs:
        description: Whether its certificate is verified.
        type: bool
        default: true
      ca_cert:
        description: File with its certificate authority.
        type: path
"""
