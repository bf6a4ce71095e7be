# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pod Security Standards on pods that break one rule each; the e2e tier compares with the server's own answer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._gate.pod_standard import pod_faults

SAFE: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {
            "name": "app",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            },
        }
    ],
    "volumes": [{"name": "tmp", "emptyDir": {}}],
}


def broken(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> dict[str, Any]:
    spec = copy.deepcopy(SAFE)
    change(spec, spec["containers"][0]["securityContext"])
    return spec


BASELINE: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "hostNetwork is on": lambda spec, own: spec.update(hostNetwork=True),
    "hostPID is on": lambda spec, own: spec.update(hostPID=True),
    "volume root is a hostPath": lambda spec, own: spec["volumes"].append({"name": "root", "hostPath": {"path": "/"}}),
    "sysctl kernel.msgmax is not safe": lambda spec, own: spec["securityContext"].update(
        sysctls=[{"name": "kernel.msgmax", "value": "1"}]
    ),
    "container app: privileged": lambda spec, own: own.update(privileged=True),
    "container app: adds the capabilities SYS_ADMIN": lambda spec, own: own["capabilities"].update(add=["SYS_ADMIN"]),
    "container app: uses a host port": lambda spec, own: spec["containers"][0].update(ports=[{"hostPort": 80}]),
    "container app: seccompProfile is Unconfined": lambda spec, own: own.update(seccompProfile={"type": "Unconfined"}),
    "container app: procMount is not Default": lambda spec, own: own.update(procMount="Unmasked"),
}
RESTRICTED: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "volume disk is of the kind nfs": lambda spec, own: spec["volumes"].append({"name": "disk", "nfs": {}}),
    "runAsUser is 0": lambda spec, own: spec["securityContext"].update(runAsUser=0),
    "container app: runAsUser is 0": lambda spec, own: own.update(runAsUser=0),
    "container app: allowPrivilegeEscalation is not false": lambda spec, own: own.pop("allowPrivilegeEscalation"),
    "container app: runAsNonRoot is not true": lambda spec, own: spec["securityContext"].pop("runAsNonRoot"),
    "container app: seccompProfile is not RuntimeDefault or Localhost": lambda spec, own: spec["securityContext"].pop(
        "seccompProfile"
    ),
    "container app: does not drop ALL capabilities": lambda spec, own: own["capabilities"].update(drop=["CHOWN"]),
    "container app: adds the capabilities CHOWN": lambda spec, own: own["capabilities"].update(add=["CHOWN"]),
}


def test_a_safe_pod_has_no_fault() -> None:
    assert pod_faults(SAFE, "restricted") == pod_faults(SAFE, "baseline") == []
    own = broken(
        lambda spec, own: own.update(runAsNonRoot=True, seccompProfile=spec.pop("securityContext")["seccompProfile"])
    )
    assert pod_faults(own, "restricted") == []


@pytest.mark.parametrize("fault", BASELINE)
def test_baseline(fault: str) -> None:
    spec = broken(BASELINE[fault])
    assert pod_faults(spec, "baseline") == [fault]
    assert fault in pod_faults(spec, "restricted")


@pytest.mark.parametrize("fault", RESTRICTED)
def test_restricted(fault: str) -> None:
    spec = broken(RESTRICTED[fault])
    assert pod_faults(spec, "baseline") == []
    assert pod_faults(spec, "restricted") == [fault]


def test_every_container_counts() -> None:
    spec = broken(lambda spec, own: spec.update(initContainers=[{"name": "first"}]))
    assert {fault.partition(":")[0] for fault in pod_faults(spec, "restricted")} == {"container first"}
