# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that gives the credentials of a kubeconfig: real ones that answer, fail, and never end."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected

API = "client.authentication.k8s.io/v1"


class _Server(ThreadingHTTPServer):
    """Keeps the tokens that it was shown."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tokens: list[str | None] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer with an empty object."""
        self.server.tokens.append(self.headers.get("Authorization"))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    """An API server that lets everybody in."""
    with _Server() as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def _kubeconfig(folder: Path, server: _Server, script: str) -> str:
    program = folder / "login"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
        "clusters": [{"name": "one", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "me", "user": {"exec": {"apiVersion": API, "command": str(program)}}}],
    }
    file = folder / "config"
    file.write_text(json.dumps(config))
    return str(file)


def _answer(token: str, until: str) -> str:
    said = {"apiVersion": API, "kind": "ExecCredential", "status": {"token": token, "expirationTimestamp": until}}
    return f"echo '{json.dumps(said)}'"


def _refusal(kubeconfig: str, **others: float) -> GoliveError:
    deadline = time.monotonic() + others.get("seconds", 60)
    with (
        pytest.raises(GoliveError) as failure,
        connected(call_for_tests({"kubeconfig": kubeconfig}, deadline=lambda: deadline)),
    ):
        pass
    return failure.value


def test_what_it_gives_is_shown_to_the_server(tmp_path: Path, server: _Server) -> None:
    kubeconfig = _kubeconfig(tmp_path, server, _answer("first", "2999-01-01T00:00:00Z"))
    with connected(call_for_tests({"kubeconfig": kubeconfig})) as client:
        client.get("/version")
    assert server.tokens == ["Bearer first"]


def test_a_token_that_has_run_out_is_asked_for_anew(tmp_path: Path, server: _Server) -> None:
    used = tmp_path / "used"
    script = f"if [ -e {used} ]; then {_answer('second', '2999-01-01T00:00:00Z')}; else touch {used}; "
    kubeconfig = _kubeconfig(tmp_path, server, script + _answer("first", "2001-01-01T00:00:00Z") + "; fi")
    with connected(call_for_tests({"kubeconfig": kubeconfig})) as client:
        client.get("/version")
    assert server.tokens == ["Bearer second"]


def test_what_cleans_up_behind_a_stopped_run_may_still_ask(tmp_path: Path, server: _Server) -> None:
    kubeconfig = _kubeconfig(tmp_path, server, _answer("first", "2001-01-01T00:00:00Z"))
    stopped, deadline = threading.Event(), time.monotonic() + 60

    def alive() -> None:
        if stopped.is_set():
            raise Interrupted("stopped")

    def end() -> float:
        return time.monotonic() - 1 if stopped.is_set() else deadline

    with connected(call_for_tests({"kubeconfig": kubeconfig}, alive=alive, deadline=end)) as client:
        stopped.set()
        with pytest.raises(Interrupted):
            client.get("/version")
        client.undisturbed().get("/version")
    assert server.tokens == ["Bearer first"]


def test_why_it_failed_is_told(tmp_path: Path, server: _Server) -> None:
    error = _refusal(_kubeconfig(tmp_path, server, "echo 'The session has expired' >&2; exit 255"))
    assert error.code == "credentials_missing"
    assert "The session has expired" in error.message
    assert server.tokens == []


def test_a_program_that_is_not_there_is_told(tmp_path: Path, server: _Server) -> None:
    kubeconfig = _kubeconfig(tmp_path, server, "")
    (tmp_path / "login").unlink()
    error = _refusal(kubeconfig)
    assert error.code == "credentials_missing"
    assert str(tmp_path / "login") in error.message


def test_one_that_never_ends_is_ended_with_all_that_it_started(tmp_path: Path, server: _Server) -> None:
    pids = tmp_path / "pids"
    error = _refusal(_kubeconfig(tmp_path, server, f"sleep 1000 & echo $$ $! >{pids}; wait"), seconds=1.5)
    assert error.code == "credentials_missing"
    assert "no answer within" in error.message
    _gone(pids)


def test_a_run_that_is_stopped_does_not_wait_for_it(tmp_path: Path, server: _Server) -> None:
    pids = tmp_path / "pids"
    kubeconfig = _kubeconfig(tmp_path, server, f"sleep 1000 & echo $$ $! >{pids}; wait")

    def alive() -> None:
        if pids.exists():
            raise Interrupted("stopped")

    with pytest.raises(Interrupted), connected(call_for_tests({"kubeconfig": kubeconfig}, alive=alive)):
        pass
    _gone(pids)


def _gone(pids: Path) -> None:
    """Both processes end; a zombie that init has not taken away yet has ended."""
    deadline = time.monotonic() + 10
    left = pids.read_text().split()
    assert len(left) == 2
    while left and time.monotonic() < deadline:
        left = [pid for pid in left if _runs(pid)]
        os.sched_yield()
    assert not left


def _runs(pid: str) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
