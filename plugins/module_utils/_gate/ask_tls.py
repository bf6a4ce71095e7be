# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``tls``: a certificate that clients trust, that lives long enough, and a TLS version that is still safe."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look, compare, judged, of_way
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import kind_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


def ask(check: Mapping[str, Any], reach: Reach) -> Look:
    """Look once: one handshake, verified as a client does, within ``timeout`` seconds."""
    try:
        way = reach.way(check["name"], check["tunnel"], check["port"])
    except GoliveError as error:
        return of_way(error)
    context = ssl.create_default_context(cafile=check["ca_cert"])
    context.minimum_version = _VERSIONS[check["min_version"]]
    where = way.place or (check["host"], check["port"])
    start = time.monotonic()
    try:
        with (
            socket.create_connection(where, timeout=check["timeout"]) as wire,
            context.wrap_socket(wire, server_hostname=check["host"]) as secure,
        ):
            seconds = time.monotonic() - start
            return _judged(check, secure, seconds)
    except ssl.SSLCertVerificationError as error:
        return Look(False, f"the certificate of {check['host']} is not trusted: {error.verify_message}")
    except OSError as error:
        return way.failed(f"{kind_of(error)}: {error}")


def _judged(check: Mapping[str, Any], secure: ssl.SSLSocket, seconds: float) -> Look:
    shown: Mapping[str, Any] = secure.getpeercert() or {}
    begins, ends = (ssl.cert_time_to_seconds(str(shown[key])) for key in ("notBefore", "notAfter"))
    # Lifetimes differ from 6 days to years, so the share that is left tells, not days.
    left = (ends - time.time()) / (ends - begins)
    values = {
        "version": secure.version(),
        "lifetime_left": round(left, 3),
        "days_left": round((ends - time.time()) / 86400, 1),
    }
    fault = compare("the share of the certificate's lifetime that is left", left, {"min": check["min_lifetime"]})
    seen = f"{values['version']}, {values['days_left']:g} days left"
    return judged([fault] if fault else [], seen, seconds, check["max_latency"], values)
