# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and headers of a real HTTPS server, and a Prometheus behind TLS."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.integration.gate.test_prometheus import check, perform, stopped
from tests.integration.prometheus import Prometheus

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Server": "web",
}


class Server:
    """An HTTPS server on loopback whose headers a test may change."""

    def __init__(self, folder: Path, name: str = "localhost") -> None:
        self.headers = dict(SAFE)
        self.key, self.certificate = folder / "key.pem", folder / "certificate.pem"
        names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1", "-days", "30"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-keyout", self.key, "-out",
             self.certificate],
            check=True,
            capture_output=True,
        )  # fmt: skip
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(200)
                for header, value in server.headers.items():
                    self.send_header(header, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("tls"))
    yield made
    made.close()


def certificate(server: Server, **options: Any) -> dict[str, Any]:
    row = {"name": "certificate", "kind": "tls", "host": "localhost", "port": server.port}
    return {**row, "ca_cert": str(server.certificate), **options}


def test_a_trusted_certificate_with_life_left(server: Server) -> None:
    result = perform(checks=[certificate(server, min_lifetime=0.9, min_version="TLSv1.3")], consecutive=2)
    values = result["checks"][0]["last"]["values"]
    assert (result["verdict"], values["version"]) == ("pass", "TLSv1.3")
    assert 29 < values["days_left"] <= 30


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ca_cert": None}, "is not trusted: self-signed certificate"),
        ({"min_lifetime": 0.99999999}, "lifetime that is left is"),
        ({"port": 9}, "refused"),
    ],
)
def test_a_certificate_that_is_not_as_wanted(server: Server, options: dict[str, Any], said: str) -> None:
    assert said in stopped(certificate(server, **options), code="gate_failed")["msg"]


def test_a_certificate_of_another_name(tmp_path: Path) -> None:
    other = Server(tmp_path, "other.golive.test")
    try:
        assert "Hostname mismatch" in stopped(certificate(other), code="gate_failed")["msg"]
    finally:
        other.close()


def test_headers_one_by_one(server: Server) -> None:
    url = f"https://localhost:{server.port}/"
    row = {"name": "headers", "kind": "headers", "url": url, "ca_cert": str(server.certificate)}
    server.headers = dict(SAFE)
    assert perform(checks=[row], consecutive=2)["verdict"] == "pass"
    worse = {
        "X-Content-Type-Options": ("", "X-Content-Type-Options is not nosniff"),
        "Content-Security-Policy": ("default-src 'self'", "who may frame the page"),
        "Referrer-Policy": (None, "Referrer-Policy is missing"),
        "Strict-Transport-Security": ("max-age=10", "shorter than 300 s"),
        "Server": ("web/1.2.3", "server tells a version: web/1.2.3"),
    }
    for header, (value, said) in worse.items():
        server.headers = (
            {**SAFE, header: value} if value is not None else {k: v for k, v in SAFE.items() if k != header}
        )
        assert said in stopped(row, code="gate_failed", consecutive=1, timeout=0.5)["msg"]


def test_prometheus_behind_tls(server: Server) -> None:
    web = f"tls_server_config:\n  cert_file: {server.certificate}\n  key_file: {server.key}\n"
    secure = Prometheus.create(web=web)
    try:
        row = check(secure, query="up", max=2, url=f"https://localhost:{secure.port}", ca_cert=str(server.certificate))
        assert perform(checks=[row], timeout=60, consecutive=2)["verdict"] == "pass"
        said = stopped({**row, "ca_cert": None})
        assert (said["reasons"], "tls: " in said["msg"]) == (["provider_down"], True)
        end = time.monotonic()
        assert perform(checks=[{**row, "ca_cert": None, "validate_certs": False}], consecutive=1)["verdict"] == "pass"
        assert time.monotonic() - end < 10
    finally:
        secure.remove()
