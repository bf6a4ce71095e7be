# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and kubeconfigs of one cluster, made with openssl."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from .progress import run
from .record import Record

EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
DAYS = "3650"


class Certificates:
    """Files `<name>.crt` and `<name>.key` below the state directory, readable by the owner only."""

    def __init__(self, record: Record) -> None:
        self.record, self.folder = record, record.state / "pki"

    def make_all(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o700)
        node, names = (self.record.node, ["kubernetes", "kubernetes.default", "kubernetes.default.svc"])
        names += ["kubernetes.default.svc.cluster.local", "localhost"]
        addresses = [self.record.node_address, self.record.service_address, "127.0.0.1"]
        for authority in ("ca", "front-proxy-ca"):
            self._authority(authority)
        self._leaf("apiserver", "/CN=kube-apiserver", server=(names, addresses))
        self._leaf("kubelet-server", f"/O=system:nodes/CN=system:node:{node}", server=([node], addresses[:1]))
        self._leaf("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet-client")
        self._leaf("front-proxy", "/CN=front-proxy-client", authority="front-proxy-ca")
        users = {
            "admin": "/O=system:masters/CN=golive-admin",
            "controller-manager": "/CN=system:kube-controller-manager",
            "scheduler": "/CN=system:kube-scheduler",
            "kubelet": f"/O=system:nodes/CN=system:node:{node}",
            "proxy": "/CN=system:kube-proxy",
            "own": "/O=system:masters/CN=golive-own",
        }
        for name, subject in users.items():
            self._leaf(name, subject)
            self._kubeconfig(name)
        run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key("service-account")])
        run(["openssl", "pkey", "-in", self.key("service-account"), "-pubout", "-out", self.cert("service-account")])

    def cert(self, name: str) -> str:
        return str(self.folder / f"{name}.crt")

    def key(self, name: str) -> str:
        return str(self.folder / f"{name}.key")

    def kubeconfig(self, name: str) -> str:
        return str(self.record.kubeconfig if name == "admin" else self.folder / f"{name}.kubeconfig")

    def _authority(self, name: str) -> None:
        run(["openssl", "req", "-x509", *EC_KEY, "-days", DAYS, "-subj", f"/CN=golive-{name}",
             "-addext", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign",
             "-keyout", self.key(name), "-out", self.cert(name)])  # fmt: skip

    def _leaf(
        self, name: str, subject: str, authority: str = "ca", server: tuple[list[str], list[str]] | None = None
    ) -> None:
        extensions = ["keyUsage=critical,digitalSignature"]
        extensions.append(f"extendedKeyUsage={'serverAuth' if server else 'clientAuth'}")
        if server:
            known = [f"DNS:{item}" for item in server[0]] + [f"IP:{item}" for item in server[1]]
            extensions.append(f"subjectAltName={','.join(known)}")
        extension_file = self.folder / f"{name}.ext"
        extension_file.write_text("\n".join(extensions) + "\n")
        request = run(["openssl", "req", "-new", *EC_KEY, "-subj", subject, "-keyout", self.key(name)])
        run(["openssl", "x509", "-req", "-CA", self.cert(authority), "-CAkey", self.key(authority), "-days", DAYS,
             "-extfile", extension_file, "-out", self.cert(name)], stdin=request)  # fmt: skip

    def _kubeconfig(self, name: str) -> None:
        def inline(path: str) -> str:
            return base64.b64encode(Path(path).read_bytes()).decode()

        cluster = {"server": f"https://{self.record.node_address}:6443",
                   "certificate-authority-data": inline(self.cert("ca"))}  # fmt: skip
        user = {"client-certificate-data": inline(self.cert(name)), "client-key-data": inline(self.key(name))}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.record.name,
            "clusters": [{"name": self.record.name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": self.record.name, "context": {"cluster": self.record.name, "user": name}}],
        }
        path = Path(self.kubeconfig(name))
        path.touch(0o600)
        path.write_text(json.dumps(document, indent=2) + "\n")
