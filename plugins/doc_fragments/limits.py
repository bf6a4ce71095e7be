# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the limits of tracking."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``limits_spec`` of ``module_utils/_kube/track_limits.py``."""

    DOCUMENTATION = r"""
options:
  limits:
    description: How long a trouble may last, or how often it may happen, before it is the cause of a failure.
    type: dict
    suboptions:
      image_name:
        description: Seconds an invalid image name, or a missing image with C(imagePullPolicy=Never), must stay so.
        type: float
        default: 1.0
      image_registry:
        description: Seconds the registry's name in the image reference may stay unresolvable on the node.
        type: float
        default: 4.0
      image_tries:
        description: Failed pulls for reasons of the network or the registry before the verdict is V(inconclusive).
        type: int
        default: 3
      config:
        description: Seconds a missing Secret, ConfigMap or key of them may take to appear.
        type: float
        default: 20.0
      start_failures:
        description: Failed starts of a container.
        type: int
        default: 2
      exits:
        description: Ends of a container that should keep running.
        type: int
        default: 2
      probe_kills:
        description: Kills of a container by its liveness or startup probe.
        type: int
        default: 2
      ready_factor:
        description: Factor on the time a pod may take to become Ready, which is computed from its probes.
        type: float
        default: 1.0
      gate:
        description: Seconds a readiness gate may stay closed when all containers are ready.
        type: float
        default: 120.0
      schedule:
        description: Seconds a pod may stay unschedulable.
        type: float
        default: 15.0
      scale_up:
        description: The same while a cluster autoscaler says that it adds a node.
        type: float
        default: 600.0
      create:
        description: Seconds the API server may refuse to create pods (quota, Pod Security, webhooks).
        type: float
        default: 6.0
      volume_claim:
        description: Seconds a PersistentVolumeClaim that a pod waits for may stay Pending.
        type: float
        default: 30.0
      mount:
        description: Seconds volumes may fail to be attached or mounted.
        type: float
        default: 90.0
      sandbox_failures:
        description: Failed attempts to create a pod's sandbox (network).
        type: int
        default: 3
      disruptions:
        description: Pods the cluster may take away (eviction, lost node) before the verdict is V(inconclusive).
        type: int
        default: 2
      observe:
        description: Seconds the controller may leave a change unobserved.
        type: float
        default: 30.0
      api:
        description: Seconds the API server, or an admission webhook, may be silent before it is V(inconclusive).
        type: float
        default: 30.0
"""
