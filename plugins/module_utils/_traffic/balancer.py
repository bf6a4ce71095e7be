# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a load balancer outside of the cluster still sends to pods that left a Service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_AWS = "service.beta.kubernetes.io/aws-load-balancer"
_ATTRIBUTES = f"{_AWS}-target-group-attributes"
_DELAY = "deregistration_delay.timeout_seconds"
_CLASSIC = f"{_AWS}-connection-draining-timeout"
# What a target group has unless told otherwise (AWS documentation, Target group attributes).
_AWS_DEFAULT_S = 300.0


def drain_seconds(service: Mapping[str, Any]) -> float:
    """Seconds that the annotations of a Service tell; 0 when they tell nothing."""
    annotations = service["metadata"].get("annotations") or {}
    pairs = dict(part.strip().split("=", 1) for part in str(annotations.get(_ATTRIBUTES, "")).split(",") if "=" in part)
    told = pairs.get(_DELAY) or annotations.get(_CLASSIC) or ""
    if told.isdigit():
        return float(told)
    return _AWS_DEFAULT_S if any(key.startswith(_AWS) for key in annotations) else 0.0
