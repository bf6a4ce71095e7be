# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the objects of a set are written and deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import Key

Item = TypeVar("Item")

# What later waves look up: a pod that starts before its ConfigMap loses seconds on FailedMount, and a binding is
# refused while its Role is missing.
_WAVES = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    (
        "PriorityClass",
        "StorageClass",
        "RuntimeClass",
        "IngressClass",
        "GatewayClass",
        "ResourceQuota",
        "LimitRange",
        "NetworkPolicy",
        "ServiceAccount",
        "Secret",
        "ConfigMap",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "ClusterRole",
        "Role",
        "Service",
        "PodDisruptionBudget",
    ),
    ("ClusterRoleBinding", "RoleBinding"),
)
_LAST = ("APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy")
PRELUDE = ("Namespace", "CustomResourceDefinition")


def wave_of(key: Key) -> int:
    """Number of the wave that writes an object: namespaces, definitions, what others need, the rest, cluster hooks."""
    for number, kinds in enumerate(_WAVES):
        if key.kind in kinds:
            return number
    return len(_WAVES) + (key.kind in _LAST)


def waves(items: Iterable[Item], key: Callable[[Item], Key], backwards: bool = False) -> list[list[Item]]:
    """Items in groups that can be written side by side; ``backwards`` for deletion."""
    grouped: dict[int, list[Item]] = {}
    for item in items:
        grouped.setdefault(wave_of(key(item)), []).append(item)
    return [grouped[number] for number in sorted(grouped, reverse=backwards)]
