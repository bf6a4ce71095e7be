# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys of a kubeconfig leave no file behind."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import Authority
from ansible_collections.golive.cutover.plugins.module_utils._certificates.issue import new_authority, new_certificate
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import ECDSA, key_pem
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import certificates_pem
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from tests.unit.certificates.samples import a_wish

NOW = datetime.now(timezone.utc)
LOOPBACK = "127.0.0.1"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with an empty object."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    """Speaks TLS, but for its first ``broken`` connections."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.context = context
        self.broken = 0
        self.came = 0

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """The next connection; an OSError makes the server go on with the one behind it."""
        connection, address = super().get_request()
        self.came += 1
        if self.came <= self.broken:
            with connection:
                connection.sendall(b"no TLS\r\n")
            raise ConnectionAbortedError
        return self.context.wrap_socket(connection, server_side=True), address


@pytest.fixture
def authority() -> Authority:
    """The one that server and client trust."""
    return new_authority("shop-ca", ECDSA, NOW, 3650, ())


def _pair(authority: Authority, usage: str, folder: Path) -> tuple[Path, Path]:
    certificate, key = new_certificate(a_wish(names=[LOOPBACK], usages=[usage]), authority, NOW)
    paths = folder / f"{usage}.crt", folder / f"{usage}.key"
    paths[0].write_text(certificates_pem((certificate,)))
    paths[1].write_bytes(key_pem(key))
    return paths


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[_Server]:
    """Admits only clients with a certificate."""
    trusted = tmp_path / "ca.crt"
    trusted.write_text(certificates_pem((authority.certificate,)))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(trusted))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*_pair(authority, "server", tmp_path))
    made = _Server(context)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def kubeconfig(tmp_path: Path, authority: Authority, server: _Server) -> Path:
    """Of that server; all certificates lie in the file itself."""
    trusted = tmp_path / "ca.crt"
    pair = _pair(authority, "client", tmp_path)
    inline = [base64.b64encode(file.read_bytes()).decode() for file in (trusted, *pair)]
    user = {"client-certificate-data": inline[1], "client-key-data": inline[2]}
    cluster = {"server": f"https://{LOOPBACK}:{server.server_address[1]}", "certificate-authority-data": inline[0]}
    file = tmp_path / "config"
    file.write_text(
        json.dumps(
            {
                "current-context": "main",
                "contexts": [{"name": "main", "context": {"cluster": "main", "user": "main"}}],
                "clusters": [{"name": "main", "cluster": cluster}],
                "users": [{"name": "main", "user": user}],
            }
        )
    )
    return file


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files would lie."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_no_file_lies_there_while_connected_or_behind_it(kubeconfig: Path, temporary: Path) -> None:
    for _again in range(2):
        with connected(call_for_tests({"kubeconfig": str(kubeconfig), "validate_certs": True})) as client:
            assert list(temporary.iterdir()) == []
            assert client.get("/x") == {}
        assert list(temporary.iterdir()) == []


def test_a_process_that_ends_without_its_exit_functions_leaves_none(kubeconfig: Path, temporary: Path) -> None:
    child = os.fork()
    if not child:
        with connected(call_for_tests({"kubeconfig": str(kubeconfig), "validate_certs": True})) as client:
            os._exit(0 if client.get("/x") == {} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(temporary.iterdir()) == []


def test_a_broken_handshake_is_tried_again(kubeconfig: Path, server: _Server) -> None:
    server.broken = 1
    with connected(call_for_tests({"kubeconfig": str(kubeconfig), "validate_certs": True})) as client:
        assert client.get("/x") == {}
    assert server.came == 2


def test_another_authority_is_not_trusted(kubeconfig: Path, server: _Server) -> None:
    other = certificates_pem((new_authority("other", ECDSA, NOW, 10, ()).certificate,)).encode()
    settings = json.loads(kubeconfig.read_text())
    settings["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(other).decode()
    kubeconfig.write_text(json.dumps(settings))
    with (
        pytest.raises(GoliveError, match="CERTIFICATE_VERIFY_FAILED") as failure,
        connected(call_for_tests({"kubeconfig": str(kubeconfig), "validate_certs": True})) as client,
    ):
        client.get("/x")
    assert failure.value.code == "unreachable"
    assert server.came == 1


def test_unless_certificates_are_not_looked_at(kubeconfig: Path) -> None:
    settings = json.loads(kubeconfig.read_text())
    del settings["clusters"][0]["cluster"]["certificate-authority-data"]
    kubeconfig.write_text(json.dumps(settings))
    with connected(call_for_tests({"kubeconfig": str(kubeconfig), "validate_certs": False})) as client:
        assert client.get("/x") == {}


@pytest.mark.parametrize("field", ["certificate-authority-data", "client-key-data"])
def test_what_is_no_certificate_is_told_before_anything_is_sent(kubeconfig: Path, temporary: Path, field: str) -> None:
    settings = json.loads(kubeconfig.read_text())
    for part in (settings["clusters"][0]["cluster"], settings["users"][0]["user"]):
        if field in part:
            part[field] = base64.b64encode(b"no certificate").decode()
    kubeconfig.write_text(json.dumps(settings))
    with (
        pytest.raises(GoliveError, match="certificates") as failure,
        connected(call_for_tests({"kubeconfig": str(kubeconfig), "validate_certs": True})),
    ):
        pass
    assert failure.value.code == "kubeconfig_invalid"
    assert list(temporary.iterdir()) == []
