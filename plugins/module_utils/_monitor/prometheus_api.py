# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP API of a Prometheus: the rules it has loaded, the targets it scrapes, and what it has measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from ansible.module_utils.urls import open_url

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._monitor.login import Login

_ASK_S = 5
# What looks back over days takes longer.
_LOOK_BACK_S = 30


class PrometheusApi:
    """One server at ``base``, an address without the path of the API.

    Its methods raise GoliveError ``prometheus_down`` when it does not answer, or not as Prometheus does.
    """

    def __init__(self, base: str, login: Login, tunnelled: bool) -> None:
        self._base = base.rstrip("/")
        self._login = login
        # What stands in the environment for the world outside does not lead to this machine's own port.
        self._use_proxy = not tunnelled

    def groups(self) -> list[dict[str, Any]]:
        """Every group with its rules, each with ``name``, ``query``, ``health`` and ``lastError``."""
        return list(self._ask("rules", {})["groups"])

    def targets(self) -> list[dict[str, Any]]:
        """Every target that is scraped, with ``labels``, ``scrapeUrl``, ``health`` and ``lastError``."""
        return list(self._ask("targets", {"state": "active"})["activeTargets"])

    def formatted(self, query: str) -> str:
        """The expression as this Prometheus writes it."""
        return str(self._ask("format_query", {"query": query}))

    def values(self, query: str, at: float) -> list[dict[str, Any]]:
        """Each series of an expression at one moment (Unix seconds), with ``metric`` and ``value``."""
        return list(self._ask("query", {"query": query, "time": at}, _LOOK_BACK_S)["result"])

    def series(self, query: str, begin: float, end: float, step: float) -> list[dict[str, Any]]:
        """Each series of an expression over a span, with ``metric`` and ``values``, pairs of Unix seconds and text."""
        asked = {"query": query, "start": begin, "end": end, "step": step}
        return list(self._ask("query_range", asked, _LOOK_BACK_S)["result"])

    def _ask(self, what: str, asked: Mapping[str, Any], seconds: int = _ASK_S) -> Any:
        url = f"{self._base}/api/v1/{what}" + (f"?{urlencode(asked)}" if asked else "")
        try:
            answer = open_url(
                url,
                timeout=seconds,
                use_proxy=self._use_proxy,
                headers=self._login.headers,
                validate_certs=self._login.validate_certs,
                ca_path=self._login.ca_cert,
            ).read()
        except HTTPError as error:
            with error:
                raise self._down(f"status {error.code}") from error
        # What the connection raises is OSError; the library's own errors are of no common kind.
        except Exception as error:
            raise self._down(str(error)) from error
        try:
            return json.loads(answer)["data"]
        except (ValueError, KeyError, TypeError):
            raise self._down("what it says is no answer of its API") from None

    def _down(self, reason: str) -> GoliveError:
        return GoliveError(
            "prometheus_down",
            f"Asking Prometheus at {self._base} failed: {reason}.",
            "Check that it runs, and the address and login that are set for it.",
        )
