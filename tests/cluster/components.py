# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines and settings of every component of the built cluster. Pure: nothing here touches the machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import versions
from .certificates import Certificates
from .record import Record

CRI_SOCKET = "/run/containerd/containerd.sock"


@dataclass(frozen=True)
class Component:
    name: str
    command: list[str]
    after_api: bool = False


def components(record: Record, kubernetes: Path, own_python: list[str]) -> list[Component]:
    """In start order; `after_api` ones start when the API answers."""
    pki, settings = Certificates(record), record.state / "settings"
    ca, program = pki.cert("ca"), str(kubernetes)
    return [
        Component("etcd", [
            "etcd", f"--data-dir={record.state}/etcd", "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379", "--listen-peer-urls=http://127.0.0.1:2380",
            "--initial-advertise-peer-urls=http://127.0.0.1:2380", "--initial-cluster=default=http://127.0.0.1:2380",
            "--unsafe-no-fsync", "--log-level=warn",
        ]),
        Component("containerd", ["containerd", "--config", f"{settings}/containerd.toml"]),
        Component("kube-apiserver", [
            program, "kube-apiserver", f"--advertise-address={record.node_address}", "--secure-port=6443",
            "--etcd-servers=http://127.0.0.1:2379", f"--service-cluster-ip-range={record.service_subnet}",
            f"--service-node-port-range={record.node_ports[0]}-{record.node_ports[-1]}",
            f"--client-ca-file={ca}", f"--tls-cert-file={pki.cert('apiserver')}",
            f"--tls-private-key-file={pki.key('apiserver')}", "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true", "--profiling=false",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki.cert('service-account')}",
            f"--service-account-signing-key-file={pki.key('service-account')}",
            f"--kubelet-certificate-authority={ca}",
            f"--kubelet-client-certificate={pki.cert('apiserver-kubelet')}",
            f"--kubelet-client-key={pki.key('apiserver-kubelet')}",
            # Exec, logs and port-forward would otherwise look the node's name up in DNS.
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={pki.cert('front-proxy-ca')}",
            "--requestheader-allowed-names=front-proxy-client", "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki.cert('front-proxy')}",
            f"--proxy-client-key-file={pki.key('front-proxy')}",
            f"--audit-policy-file={settings}/audit-policy.json", f"--audit-log-path={record.audit_log}",
            "--audit-log-maxsize=2000",
        ]),
        Component("kube-controller-manager", [
            program, "kube-controller-manager", f"--kubeconfig={pki.kubeconfig('controller-manager')}",
            f"--authentication-kubeconfig={pki.kubeconfig('controller-manager')}",
            f"--authorization-kubeconfig={pki.kubeconfig('controller-manager')}", "--leader-elect=false",
            f"--service-account-private-key-file={pki.key('service-account')}", f"--root-ca-file={ca}",
            "--use-service-account-credentials=true", "--controllers=*,-nodeipam",
            f"--cluster-signing-cert-file={ca}", f"--cluster-signing-key-file={pki.key('ca')}",
            # The default of 15 s would let every test of an autoscaler wait.
            "--horizontal-pod-autoscaler-sync-period=5s",
        ], after_api=True),
        Component("kube-scheduler", [
            program, "kube-scheduler", f"--kubeconfig={pki.kubeconfig('scheduler')}",
            f"--authentication-kubeconfig={pki.kubeconfig('scheduler')}",
            f"--authorization-kubeconfig={pki.kubeconfig('scheduler')}", "--leader-elect=false",
        ], after_api=True),
        Component("kubelet", [
            program, "kubelet", f"--config={settings}/kubelet.json", f"--kubeconfig={pki.kubeconfig('kubelet')}",
            f"--hostname-override={record.node}", f"--node-ip={record.node_address}",
            f"--root-dir={record.state}/kubelet",
        ], after_api=True),
        Component("kube-proxy", [
            program, "kube-proxy", f"--kubeconfig={pki.kubeconfig('proxy')}", "--proxy-mode=iptables",
            f"--hostname-override={record.node}", f"--cluster-cidr={record.pod_subnet}",
            # The table size belongs to the whole machine; the metrics are read through the API's node proxy.
            "--conntrack-max-per-core=0", f"--metrics-bind-address={record.node_address}:10249",
        ], after_api=True),
        Component("volumes", [*own_python, "_volumes", "--name", record.name], after_api=True),
    ]  # fmt: skip


def settings_files(record: Record) -> dict[str, str]:
    """File name below `settings/` to its text."""
    return {
        "audit-policy.json": _json(audit_policy()),
        "kubelet.json": _json(kubelet(record)),
        "containerd.toml": containerd(record),
        "cni/10-golive.conflist": _json(cni(record)),
    }


def audit_policy() -> dict[str, Any]:
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }


def kubelet(record: Record) -> dict[str, Any]:
    pki = Certificates(record)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": pki.cert("ca")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": pki.cert("kubelet-server"),
        "tlsPrivateKeyFile": pki.key("kubelet-server"),
        "containerRuntimeEndpoint": f"unix://{CRI_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{record.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "resolvConf": "",
        "clusterDNS": [record.dns_address],
        "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "serializeImagePulls": False,
        "maxPods": 200,
    }


def containerd(record: Record) -> str:
    return f"""\
version = 2
root = "{record.state}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing"]

[grpc]
  address = "{CRI_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{versions.PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE a negative oom_score_adj cannot be written and no pod would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{record.state}/settings/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def cni(record: Record) -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": "golive0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": record.pod_subnet}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "golive", "plugins": [bridge, portmap]}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
