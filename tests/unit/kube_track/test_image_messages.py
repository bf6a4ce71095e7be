# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What registries, containerd and CRI-O say, and what it means."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_image import pull_code

_RESOLVE = 'failed to pull and unpack image "{0}": failed to resolve reference "{0}": '
_IMAGE = "reg.example.org/shop:404"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("image_not_found", "reg.example.org/shop:500: not found"),
        ("image_not_found", "rpc error: code = NotFound desc = manifest unknown"),
        ("image_not_found", "unexpected status from HEAD request to https://reg.example.org/v2/shop: 404 Not Found"),
        (
            "image_denied",
            "pull access denied, repository does not exist or may require authorization: insufficient_scope",
        ),
        ("image_denied", "unexpected status from HEAD request to https://reg.example.org/v2/shop: 401 Unauthorized"),
        ("image_denied", "unexpected status from GET request to https://reg.example.org/v2/shop: 403 Forbidden"),
        ("image_platform", "no match for platform in manifest: not found"),
        ("image_platform", "no matching manifest for linux/arm64 in the manifest list entries"),
        ("image_registry_unknown", 'failed to do request: Head "https://x/v2/": dial tcp: lookup x: no such host'),
        (
            "image_registry_unknown",
            "dial tcp: lookup x on 10.0.0.10:53: read udp 10.0.0.1:5->10.0.0.10:53: read: connection refused",
        ),
        ("image_unreachable", 'failed to do request: Head "https://x/v2/": dial tcp 10.0.0.1:443: i/o timeout'),
        ("image_unreachable", "dial tcp: lookup x on 10.0.0.10:53: server misbehaving"),
        ("image_unreachable", "dial tcp 10.0.0.1:443: connect: connection refused"),
        ("image_unreachable", "unexpected status from HEAD request to https://x/v2/: 429 Too Many Requests"),
        ("image_unreachable", "unexpected status from HEAD request to https://x/v2/: 503 Service Unavailable"),
        ("image_unreachable", "tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        ("image_unreachable", "context deadline exceeded"),
        ("image_unreachable", "something nobody has seen before"),
    ],
)
def test_message_has_its_code(code: str, message: str) -> None:
    assert pull_code(_RESOLVE.format(_IMAGE) + message) == code


def test_the_image_name_itself_is_no_reason() -> None:
    assert pull_code('Back-off pulling image "reg.example.org/not-found/unauthorized:429"') == "image_unreachable"
