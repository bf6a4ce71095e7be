# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program whose output goes on in pieces while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.programs import Lines, Program, stream_program
from tests.unit.pg.test_programs import WHERE, alive, put


def program(folder: Path, text: str) -> Program:
    return Program("pg_dump", str(put(folder, text)), 16)


def test_output_and_words_come_apart_and_whole(tmp_path: Path) -> None:
    text = 'head -c 3000000 /dev/zero; echo "one" >&2; printf "two" >&2; printf "\\nlast" >&2'
    got, lines = bytearray(), []
    stream_program(program(tmp_path, text), [], alive, 10, got.extend, lines.append)
    assert bytes(got) == bytes(3_000_000)
    assert lines == ["one", "two"]


def test_a_failure_shows_errors_and_not_all_that_was_told(tmp_path: Path) -> None:
    text = 'echo "pg_dump: dumping a" >&2; echo "pg_dump: error: no s3cret" >&2; echo "pg_dump: detail: x" >&2; exit 1'
    with pytest.raises(GoliveError, match=r"Running pg_dump failed: no \*{8} detail: x\. Try"):
        stream_program(program(tmp_path, text), [], alive, 10, bytearray().extend, where=WHERE)


def test_without_a_word_of_error_the_last_one_counts() -> None:
    lines = Lines(lambda _line: None)
    lines.feed(b"first\nout of memory")
    assert lines.reason() == "out of memory"


@pytest.mark.parametrize("why", ["limit", "taker"])
def test_it_is_ended_at_its_limit_and_when_nobody_takes_its_output(tmp_path: Path, why: str) -> None:
    ended = tmp_path / "pid"

    def take(_piece: bytes) -> None:
        if why == "taker":
            raise OSError("no room")

    text = f"echo $$ > {ended}\nwhile true; do echo x; sleep 0.01; done"
    with pytest.raises(OSError if why == "taker" else GoliveError):
        stream_program(program(tmp_path, text), [], alive, 0.5, take)
    assert not Path("/proc", ended.read_text().strip()).exists()
