# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator sees while a verb works."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from pathlib import Path

from tests.both_ways.harness import environment, play_of, run_plays, write_playbook
from tests.integration.runner.cases import SECRET, probe

WORKING = {"work": probe("report", seconds=2.6, token=SECRET)}


def test_lines_are_rare_masked_and_end_with_the_last_word(executable: str, tmp_path: Path) -> None:
    cases = {
        **WORKING,
        "quiet": {**probe("report", seconds=1.5), "no_log": True},
        "quick": probe("report", seconds=0.3),
    }
    ran = run_plays(executable, "inside", [play_of(cases)], tmp_path, hosts=("shop", "search"))
    assert ran.code == 0
    assert SECRET not in ran.out
    assert "\x1b[K" not in ran.out
    work, quiet = ran.out.split("TASK [quiet]")
    for host in ("shop", "search"):
        lines = re.findall(rf"^\[{host}\] probe: (.*)$", work, re.MULTILINE)
        assert 2 <= len(lines) <= 4, lines
        assert re.fullmatch(r"working with \*{8} \(\d+/1000\)", lines[0])
        assert lines[-1] == "last word"
    assert "] probe: " not in quiet


def test_a_module_is_silent(executable: str, tmp_path: Path) -> None:
    ran = run_plays(executable, "module", [play_of({"work": probe("report", seconds=1.5)})], tmp_path)
    assert ran.code == 0
    assert "] probe: " not in ran.out


def test_one_line_updates_itself_on_a_terminal(executable: str, tmp_path: Path) -> None:
    text = _on_terminal(executable, tmp_path / "terminal")
    assert text.count("\r\x1b[K[shop] probe: ") >= 4
    assert SECRET not in text
    # The last act of the verb clears the line, before the result is printed.
    assert re.search(r"\r\x1b\[Kok: \[shop\]", text)


def test_no_escape_codes_in_the_log_of_a_job(executable: str, tmp_path: Path) -> None:
    text = _on_terminal(executable, tmp_path / "job", AWX_ISOLATED_DATA_DIR=str(tmp_path))
    assert "\x1b[K" not in text
    assert "[shop] probe: last word" in text


def _on_terminal(executable: str, folder: Path, **variables: str) -> str:
    arguments = write_playbook(folder, [play_of(WORKING)])
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [executable, *arguments],
        env=environment("inside", folder, TERM="xterm", **variables),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    chunks: list[bytes] = []
    reader = threading.Thread(target=_read, args=(controller, chunks), daemon=True)
    reader.start()
    code = process.wait(timeout=60)
    reader.join(timeout=10)
    os.close(controller)
    text = b"".join(chunks).decode()
    assert code == 0, text
    return text


def _read(terminal: int, chunks: list[bytes]) -> None:
    # Reading a terminal whose other end is closed is an error on Linux.
    try:
        while chunk := os.read(terminal, 65536):
            chunks.append(chunk)
    except OSError:
        return
