# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``headers``: the answer's headers that protect a browser, and none that tell what runs behind it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.ask_http import url_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look, judged, of_way
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Target, ask_fresh
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

_LEAST_HSTS_S = 300
_TELLING = ("server", "x-powered-by", "x-aspnet-version")


def ask(check: Mapping[str, Any], reach: Reach) -> Look:
    """Look once, within ``timeout`` seconds."""
    try:
        way = reach.way(check["name"], check["tunnel"])
    except GoliveError as error:
        return of_way(error)
    url = url_of(check)
    target = Target(
        url=url,
        header="",
        timeout=check["timeout"],
        headers=dict(check["headers"]),
        address=way.place,
        validate_certs=check["validate_certs"],
        ca_cert=check["ca_cert"],
    )
    start = time.monotonic()
    answer = ask_fresh(target)
    seconds = time.monotonic() - start
    if answer.status is None:
        return way.failed(f"{answer.kind}: {answer.cause}")
    faults = [*_missing(answer.headers, url.startswith("https:")), *_unlike(answer.headers, check["expect_headers"])]
    return judged(faults, "all there", seconds, check["max_latency"], {"status": answer.status})


def _missing(headers: Mapping[str, str], secure: bool) -> list[str]:
    """Faults of one answer; names of headers are in lower case."""
    faults = []
    if headers.get("x-content-type-options", "").lower() != "nosniff":
        faults.append("X-Content-Type-Options is not nosniff")
    policy = headers.get("content-security-policy", "")
    if not policy:
        faults.append("Content-Security-Policy is missing")
    if "frame-ancestors" not in policy and "x-frame-options" not in headers:
        faults.append("neither frame-ancestors nor X-Frame-Options says who may frame the page")
    if "referrer-policy" not in headers:
        faults.append("Referrer-Policy is missing")
    age = re.search(r"max-age=\"?(\d+)", headers.get("strict-transport-security", ""))
    if secure and (age is None or int(age[1]) < _LEAST_HSTS_S):
        faults.append(f"Strict-Transport-Security is missing or shorter than {_LEAST_HSTS_S} s")
    faults += [
        f"{name} tells a version: {headers[name]}" for name in _TELLING if re.search(r"\d", headers.get(name, ""))
    ]
    return faults


def _unlike(headers: Mapping[str, str], wanted: Mapping[str, Any]) -> list[str]:
    return [
        f"header {name} is {headers.get(name.lower())!r} where {value!r} is wanted"
        for name, value in wanted.items()
        if headers.get(name.lower()) != str(value)
    ]
