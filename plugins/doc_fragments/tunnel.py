# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option that reaches into a cluster through its API."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``tunnel_spec`` of ``module_utils/_kube/tunnel_spec.py``."""

    DOCUMENTATION = r"""
options:
  tunnel:
    description:
      - Reach a Service or pod of a cluster through the Kubernetes API (port-forward), for this call only.
      - The local end listens on the loopback address. The options that reach the cluster, such as O(kubeconfig), apply.
      - Needs the rights C(get) and C(create) on C(pods/portforward), and C(get) on the Service and its EndpointSlices,
        or on the pod.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Service or pod.
        type: str
        required: true
      service:
        description: Name of the Service. Connections go to its ready pods in turn.
        type: str
      pod:
        description: Name of the pod.
        type: str
      port:
        description: Number or name of the Service's or pod's port. Without it, the port the verb would use anyway.
        type: str
"""
