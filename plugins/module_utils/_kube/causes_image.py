# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed image pull means. The words are those of containerd, CRI-O and registries."""

from __future__ import annotations

import re

_PLATFORM = re.compile(
    r"no match for platform|no matching manifest|no image found in .* for architecture", re.IGNORECASE
)
_DENIED = re.compile(
    r"pull access denied|unauthorized|authentication required|authorization failed|insufficient_scope|no basic auth"
    r"|code = (PermissionDenied|Unauthenticated)|\b(401|403)\b|access (is )?denied|requested access .* denied",
    re.IGNORECASE,
)
_UNKNOWN_HOST = re.compile(
    r"lookup \S+.*(no such host|connection refused|network is unreachable|no route to host)|could not resolve host",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"failed to do request|dial tcp|i/o timeout|deadline exceeded|timed? ?out|connection re(fused|set)|\bEOF\b|lookup "
    r"|toomanyrequests|too many requests|\b(429|5\d\d)\b|tls:|x509|server misbehaving|temporary failure|no space left",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"not found|code = NotFound|manifest[ _]unknown|name[ _]unknown|does not exist|\b404\b", re.IGNORECASE
)


def pull_code(message: str) -> str:
    """The cause's code for the message of ErrImagePull or ImagePullBackOff.

    What the registry answered for certain (absent, denied, wrong platform) is told from what says nothing of the image
    (network, overload). A registry whose name does not resolve has its own code. The image reference inside the message
    is taken out first: a tag such as ``v404`` is not a status.
    """
    reasons = re.sub(r'"[^"]*"|\S*/\S*', "", message)
    if _PLATFORM.search(reasons):
        return "image_platform"
    if _UNKNOWN_HOST.search(reasons):
        return "image_registry_unknown"
    if _DENIED.search(reasons):
        return "image_denied"
    if _NETWORK.search(reasons):
        return "image_unreachable"
    if _NOT_FOUND.search(reasons):
        return "image_not_found"
    return "image_unreachable"
