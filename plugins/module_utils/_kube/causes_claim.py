# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a PersistentVolumeClaim from being bound."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import NEVER, Finding, finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_events import Events
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import Limits

_NOBODY = re.compile(
    r"storageclass\S* .*not found|no storage class is set|no persistent volumes available", re.IGNORECASE
)


def waits_for_consumer(claim: dict[str, Any], events: Events) -> bool:
    """Whether the claim is Pending only because no pod uses it yet, which is its normal rest."""
    reasons = ("WaitForFirstConsumer", "ProvisioningFailed", "FailedBinding", "ExternalProvisioning", "Provisioning")
    return events.last(str(claim["metadata"]["uid"]), *reasons).get("reason") == "WaitForFirstConsumer"


def claim_finding(claim: dict[str, Any], events: Events, limits: Limits, awaited: bool) -> Finding:
    """Why a claim that is not Bound is so. ``awaited``: a pod waits for it, so resting is not its normal state."""
    status = claim.get("status") or {}
    if status.get("phase") == "Lost":
        return finding(claim, "pvc_lost", "The claim's volume does not exist any more.")
    warning = events.last(str(claim["metadata"]["uid"]), "ProvisioningFailed", "FailedBinding", "ExternalProvisioning")
    message = str(warning.get("message") or "The claim is Pending and nothing was reported about it.")
    if _NOBODY.search(message):
        return finding(claim, "pvc_unprovisionable", message, limits.volume_claim)
    rests = waits_for_consumer(claim, events) and not awaited
    return finding(claim, "pvc_pending", message, NEVER if rests else limits.volume_claim)
