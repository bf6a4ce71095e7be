# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which claims a pod uses, so that a volume that comes slowly is waited for as a volume."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._kube.pods import uses_claim


def test_a_pod_uses_the_claims_it_names_and_those_of_its_ephemeral_volumes() -> None:
    volumes = [
        {"name": "data", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "kept", "persistentVolumeClaim": {"claimName": "mine"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    pod = {"metadata": {"name": "restore-1"}, "spec": {"volumes": volumes}}
    used = {name: uses_claim(pod, {"metadata": {"name": name}}) for name in ("mine", "restore-1-data", "restore-1-tmp")}
    assert used == {"mine": True, "restore-1-data": True, "restore-1-tmp": False}
