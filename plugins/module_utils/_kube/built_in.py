# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that every API server serves: to find them it need not be asked, which each verb would do anew.

Source: the API reference of Kubernetes, versions that are stable since 1.23 at the latest.
"""

from __future__ import annotations

_NAMESPACED = {
    "v1": ("configmaps", "persistentvolumeclaims", "pods", "resourcequotas", "secrets", "serviceaccounts", "services"),
    "apps/v1": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "autoscaling/v2": ("horizontalpodautoscalers",),
    "batch/v1": ("cronjobs", "jobs"),
    "discovery.k8s.io/v1": ("endpointslices",),
}


def namespaced_plural(api_version: str, kind: str) -> str | None:
    """The plural of a namespaced kind that is always there; None for any other, which may be there too."""
    plural = f"{kind.lower()}s"
    return plural if plural in _NAMESPACED.get(api_version, ()) else None
