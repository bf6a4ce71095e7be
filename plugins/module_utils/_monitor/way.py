# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a Prometheus: an address, or a tunnel through the API of the cluster, and the login."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import tunnel_to
from ansible_collections.golive.cutover.plugins.module_utils._monitor.login import Login, read_login
from ansible_collections.golive.cutover.plugins.module_utils._monitor.prometheus_api import PrometheusApi

_PORT = 9090


class Way:
    """``options`` is the option ``prometheus`` of a verb; ``client`` is only asked for a tunnel or a Secret."""

    def __init__(self, options: Mapping[str, Any], client: Callable[[], Client]) -> None:
        self.url = str(options.get("url") or "").rstrip("/")
        self.path = str(options.get("path") or "")
        self._options = options
        self._client = client
        self._login: Login | None = None

    @contextmanager
    def open(self, path: str, tunnel: Mapping[str, Any] | None) -> Iterator[PrometheusApi]:
        """The API below ``path``, through the tunnel where there is one. Raises GoliveError of tunnel and login."""
        if self._login is None:
            self._login = read_login(self._options, self._client)
        if tunnel is None:
            yield PrometheusApi(f"{self.url}{path}", self._login, tunnelled=False)
            return
        with tunnel_to(self._client(), tunnel, _PORT) as (host, port):
            yield PrometheusApi(f"http://{host}:{port}{path}", self._login, tunnelled=True)
