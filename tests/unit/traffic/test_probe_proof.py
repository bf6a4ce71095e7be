# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answers of a real server on loopback are proof of the new colour."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Target
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_proof import find_new, prove_share
from ansible_collections.golive.cutover.plugins.module_utils._traffic.proof import prove_by_probe

LIMIT_S = 0.3


@contextmanager
def answering(status: int) -> Iterator[Target]:
    """A server of the colour green whose every answer has this status."""

    class Handler(BaseHTTPRequestHandler):
        """Answers a GET."""

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("X-App-Colour", "green")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Target(f"http://127.0.0.1:{server.server_address[1]}/healthz")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 204, 302])
def test_a_good_answer_of_the_colour_is_proof(status: int) -> None:
    with answering(status) as probe:
        assert prove_by_probe(call_for_tests({}), probe, "green", 10, LIMIT_S, "here")["in_a_row"] == 10
        assert prove_share(call_for_tests({}), probe, "green", 100, LIMIT_S)["new"] >= 5


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_refusal_is_none_whatever_colour_it_names(status: int) -> None:
    with answering(status) as probe:
        with pytest.raises(GoliveError) as switched:
            prove_by_probe(call_for_tests({}), probe, "green", 10, LIMIT_S, "here")
        with pytest.raises(GoliveError) as shared:
            prove_share(call_for_tests({}), probe, "green", 100, LIMIT_S)
        with pytest.raises(GoliveError) as first:
            find_new(call_for_tests({}), probe, "green", LIMIT_S)
    for caught in (switched, shared, first):
        assert caught.value.code == "proof_failed"
        assert f"status {status}, X-App-Colour: green; only a status below 400 counts" in caught.value.message
        assert "below 400" in str(caught.value.hint)
