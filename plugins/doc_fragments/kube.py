# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that reach a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``kube_spec`` of ``module_utils/_kube/spec.py``."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of the kubeconfig file. Without it the environment variable E(KUBECONFIG), then the user's default file,
        then the pod's own service account is used.
    type: path
  context:
    description: Context of the kubeconfig. Without it the current one.
    type: str
  host:
    description: URL of the API server. Together with O(api_key) it replaces the kubeconfig.
    type: str
  api_key:
    description: Bearer token for O(host).
    type: str
  ca_cert:
    description: File with the certificate authority of O(host).
    type: path
  validate_certs:
    description: Whether the certificate of the API server is verified.
    type: bool
    default: true
  lease:
    description:
      - The Lease that this run holds, as M(golive.cutover.release_journal) returned it.
      - It is renewed while the task works. What the task writes carries the token of the Lease, and the server refuses
        the writes of a run whose Lease another run has taken; the task fails with the code V(lease_lost) then.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Lease.
        type: str
        required: true
      name:
        description: Name of the Lease.
        type: str
        required: true
      token:
        description: Fencing token. It is greater for every new holder.
        type: str
        required: true
      holder:
        description: The holder's identity.
        type: str
        required: true
requirements:
  - kubernetes >= 29
"""
