# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus of this machine's distribution on loopback, and a small exporter that it scrapes.

``python3 -m tests.integration.prometheus`` puts the program into the cache.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.cluster.progress import part
from tests.cluster.record import cache_dir, locked
from tests.images.debian import Packages
from tests.integration.postgres import free_port

SCRAPE_S = 1
_START_S = 60


def program() -> Path:
    """The server's file: the machine's own, or the one in the cache, fetched from the distribution's package once.

    The package is only unpacked: nothing is installed or started, and no root is needed.
    """
    there = shutil.which("prometheus")
    if there:
        return Path(there)
    return _cached() or _fetched()


def promtool() -> Path:
    """The checker of rules and metrics that belongs to the server, found as ``program`` is."""
    there = shutil.which("promtool")
    return Path(there) if there else (_cached() or _fetched()).with_name("promtool")


def _cached() -> Path | None:
    found = sorted((cache_dir() / "programs").glob("prometheus-*/promtool"))
    return found[-1].with_name("prometheus") if found else None


def _fetched() -> Path:
    with locked(cache_dir() / "prometheus.lock"), part("fetch prometheus") as current:
        found = _cached()
        if found is not None:
            return found
        folder = cache_dir() / "programs"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".prometheus-") as work:
            packages = Packages(Path(work), current)
            version = packages.resolve("prometheus")["prometheus"]
            packages.unpack({"prometheus": version})
            made = Path(work) / "made"
            made.mkdir()
            for name in ("prometheus", "promtool"):
                (packages.root / "usr" / "bin" / name).rename(made / name)
            place = folder / f"prometheus-tools-{version.replace(':', '_')}"
            made.rename(place)
        current.detail = version
        return place / "prometheus"


class Exporter:
    """Serves what ``lines`` holds in the text format; ``down`` makes it refuse to answer."""

    def __init__(self) -> None:
        self.lines: dict[str, float] = {}
        self.down = False
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{name} {value}\n" for name, value in list(exporter.lines.items())).encode()
                self.send_response(503 if exporter.down else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Prometheus:
    """A running server that scrapes ``exporter`` every second, with an empty database in a directory of its own."""

    exporter: Exporter
    directory: Path
    port: int
    options: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, *options: str, web: str = "") -> Prometheus:
        """Start one and wait until it answers. ``web`` is the content of its web configuration (TLS, users)."""
        server = cls(Exporter(), Path(tempfile.mkdtemp(prefix="golive-prometheus-")), free_port(), list(options))
        if web:
            (server.directory / "web.yml").write_text(web)
            server.options.append(f"--web.config.file={server.directory / 'web.yml'}")
        try:
            server.start(wait=not web)
        except BaseException:
            server.remove()
            raise
        return server

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, wait: bool = True) -> None:
        """Start it, with what its database holds."""
        targets = [{"targets": [f"127.0.0.1:{self.exporter.port}"]}]
        job = {"job_name": "app", "scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": "1s", "static_configs": targets}
        (self.directory / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    program(),
                    f"--config.file={self.directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self.directory / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    *self.options,
                ],
                stdout=log,
                stderr=log,
                cwd=self.directory,
            )
        end = time.monotonic() + _START_S
        while wait and not self._ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Prometheus did not start:\n{(self.directory / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """End the process; the database stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def remove(self) -> None:
        """End everything and delete the directory."""
        self.stop()
        self.exporter.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def value(self, query: str) -> float | None:
        """The first value of an instant query."""
        with urllib.request.urlopen(f"{self.url}/api/v1/query?query={quote(query)}", timeout=10) as answer:
            rows = json.load(answer)["data"]["result"]
        return float(rows[0]["value"][1]) if rows else None

    def await_value(self, query: str, wanted: float | None, seconds: float = 30) -> None:
        """Wait until a query gives this value; None waits until it gives nothing."""
        end = time.monotonic() + seconds
        while (seen := self.value(query)) != wanted:
            if time.monotonic() > end:
                raise AssertionError(f"{query} is {seen} after {seconds:g} s, not {wanted}")
            threading.Event().wait(0.1)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            threading.Event().wait(0.1)
            return False


if __name__ == "__main__":
    print(program())
