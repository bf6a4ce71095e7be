# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair of certificate and key that requests trusts, and the verb as these tests call it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import notify
from tests.e2e.kube_track.verbs import call_verb

Say = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Files of a certificate for localhost and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return str(certificate), str(key)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Sends one message to URLs, which it puts into variables; there is no cluster."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))

    def send(*urls: str, **options: Any) -> dict[str, Any]:
        for number, url in enumerate(urls):
            monkeypatch.setenv(f"GOLIVE_TEST_URL_{number}", url)
        targets = [{"name": f"t{number}", "variable": f"GOLIVE_TEST_URL_{number}"} for number in range(len(urls))]
        given = {"event": "shifted", "app": "shop", "version": "2.4.2", "targets": targets, **options}
        return call_verb(notify, **given)

    return send
