# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``http``: one request on a fresh connection, redirects followed up to a limit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look, judged, of_way
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import (
    OK,
    Answer,
    Target,
    ask_fresh,
    check_url,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

_REDIRECTS = (301, 302, 303, 307, 308)


def ask(check: Mapping[str, Any], reach: Reach) -> Look:
    """Look once; all of it, with redirects, within ``timeout`` seconds."""
    try:
        way = reach.way(check["name"], check["tunnel"])
    except GoliveError as error:
        return of_way(error)
    target = Target(
        url=url_of(check),
        header="",
        timeout=check["timeout"],
        method=check["method"],
        headers=dict(check["headers"]),
        address=way.place,
        validate_certs=check["validate_certs"],
        ca_cert=check["ca_cert"],
    )
    start = time.monotonic()
    answer, wrong = _followed(target, check["redirects"], start)
    seconds = time.monotonic() - start
    if answer.status is None:
        return way.failed(f"{answer.kind}: {answer.cause}")
    faults = [wrong] if wrong else _faults(check, answer)
    values = {"status": answer.status, "latency_ms": round(seconds * 1000, 1)}
    return judged(faults, f"status {answer.status}", seconds, check["max_latency"], values)


def url_of(check: Mapping[str, Any]) -> str:
    """The address that is asked for; a check with a tunnel may give only the path."""
    if check["url"]:
        return str(check["url"])
    options = check["tunnel"]
    return f"http://{options.get('service') or options['pod']}.{options['namespace']}{check['path']}"


def _followed(target: Target, redirects: int, start: float) -> tuple[Answer, str]:
    end = start + target.timeout
    for hop in range(redirects + 1):
        answer = ask_fresh(replace(target, timeout=max(0.05, end - time.monotonic())))
        where = answer.headers.get("location")
        if redirects == 0 or answer.kind != OK or answer.status not in _REDIRECTS or not where:
            return answer, ""
        if hop == redirects:
            break
        url = urljoin(target.url, where)
        if check_url(url):
            return answer, f"redirected to {where}, which is no http address"
        if target.address and urlsplit(url).netloc != urlsplit(target.url).netloc:
            return answer, f"redirected to {where}, outside of the tunnel"
        elsewhere = urlsplit(url).netloc != urlsplit(target.url).netloc
        # Headers may carry credentials, which belong to the first host alone.
        target = replace(target, url=url, headers={} if elsewhere else target.headers)
    return answer, f"more than {redirects} redirects"


def _faults(check: Mapping[str, Any], answer: Answer) -> list[str]:
    faults = []
    wanted = check["status"]
    if answer.status not in wanted if wanted else not 200 <= (answer.status or 0) < 300:
        faults.append(f"status {answer.status} where {_list(wanted) if wanted else '200 to 299'} is wanted")
    if check["contains"] is not None and check["contains"].encode() not in answer.body:
        faults.append(f"the body does not contain {check['contains']!r}")
    for name, value in check["expect_headers"].items():
        found = answer.headers.get(name.lower())
        if found != str(value):
            faults.append(f"header {name} is {found!r} where {value!r} is wanted")
    return faults


def _list(values: list[int]) -> str:
    return " or ".join(str(value) for value in values)
