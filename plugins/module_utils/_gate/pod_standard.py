# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pod Security Standards ``baseline`` and ``restricted`` for the pods of Linux nodes.

Source: the controls of kubernetes.io/docs/concepts/security/pod-security-standards (1.34), without AppArmor, SELinux
and Windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

RESTRICTED = "restricted"
_BASELINE_CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    )
)
_SAFE_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    )
)
_RESTRICTED_VOLUMES = frozenset(
    (
        "name",
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    )
)
_PROFILES = ("RuntimeDefault", "Localhost")


def pod_faults(spec: Mapping[str, Any], level: str) -> list[str]:
    """What of a pod's spec the standard does not allow; empty when all is well."""
    faults = list(_baseline(spec))
    for container in _containers(spec):
        faults += [f"container {container['name']}: {fault}" for fault in _container_baseline(container)]
    if level == RESTRICTED:
        faults += _restricted(spec)
        for container in _containers(spec):
            faults += [f"container {container['name']}: {fault}" for fault in _container_restricted(spec, container)]
    return faults


def _containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for key in ("initContainers", "containers", "ephemeralContainers") for row in spec.get(key) or []]


def _baseline(spec: Mapping[str, Any]) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield f"{key} is on"
    for volume in spec.get("volumes") or []:
        if "hostPath" in volume:
            yield f"volume {volume['name']} is a hostPath"
    context = spec.get("securityContext") or {}
    for row in context.get("sysctls") or []:
        if row["name"] not in _SAFE_SYSCTLS:
            yield f"sysctl {row['name']} is not safe"
    if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
        yield "seccompProfile is Unconfined"


def _container_baseline(container: Mapping[str, Any]) -> Iterator[str]:
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        yield "privileged"
    added = {str(name).removeprefix("CAP_") for name in (context.get("capabilities") or {}).get("add") or []}
    if added - _BASELINE_CAPABILITIES:
        yield f"adds the capabilities {', '.join(sorted(added - _BASELINE_CAPABILITIES))}"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield "uses a host port"
    if context.get("procMount", "Default") != "Default":
        yield "procMount is not Default"
    if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
        yield "seccompProfile is Unconfined"


def _restricted(spec: Mapping[str, Any]) -> Iterator[str]:
    for volume in spec.get("volumes") or []:
        kinds = {key for key, value in volume.items() if value is not None} - _RESTRICTED_VOLUMES
        if kinds - {"hostPath"}:
            yield f"volume {volume['name']} is of the kind {', '.join(sorted(kinds))}"
    if (spec.get("securityContext") or {}).get("runAsUser") == 0:
        yield "runAsUser is 0"


def _container_restricted(spec: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[str]:
    pod, own = spec.get("securityContext") or {}, container.get("securityContext") or {}
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if own.get("runAsUser") == 0:
        yield "runAsUser is 0"
    profile = own.get("seccompProfile") or pod.get("seccompProfile") or {}
    if profile.get("type") not in _PROFILES:
        yield f"seccompProfile is not {' or '.join(_PROFILES)}"
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield "does not drop ALL capabilities"
    more = set(capabilities.get("add") or []) & _BASELINE_CAPABILITIES - {"NET_BIND_SERVICE"}
    if more:
        yield f"adds the capabilities {', '.join(sorted(more))}"
