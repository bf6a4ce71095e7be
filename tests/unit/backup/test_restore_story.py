# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a restore's Job, read line by line; and the script that writes it, run with programs that fail."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_script import SCRIPT
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_story import read_story


def line(at: float, name: str, value: str) -> str:
    return f"golive {at:.2f} {name} {base64.b64encode(value.encode()).decode()}"


def test_the_phases_have_their_seconds() -> None:
    story = read_story(
        [
            line(100.0, "phase", "fetch"),
            "fetching the backup",
            line(104.5, "phase", "start"),
            line(105.0, "phase", "replay"),
            line(107.25, "phase", "readwrite"),
            line(107.3, "reached_lsn", "0/3000100"),
            line(108.0, "phase", "end"),
        ]
    )
    assert story.whole
    assert story.seconds() == {"fetch": 4.5, "start": 0.5, "replay": 2.25, "readwrite": 0.75}
    assert story.since_fetch("readwrite") == 7.25
    assert story.since_fetch("blocks") is None
    assert story.facts == {"reached_lsn": "0/3000100"}


def test_texts_of_several_lines_come_whole() -> None:
    story = read_story([line(1.0, "finding", "first\nsecond «ü»")])
    assert story.findings == ["first\nsecond «ü»"]


def test_what_was_cut_or_is_of_others_is_passed_over() -> None:
    story = read_story(["golive", "golive 1.0 phase", "golive x phase ZW5k", "golive 1.0 phase Z!", "WARN: golive", ""])
    assert not story.whole
    assert story.facts == {}


def script(tmp_path: Path, programs: dict[str, str], **settings: str) -> tuple[int, list[str]]:
    """Run the real script with programs that stand for those of the image."""
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    env = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "PGDATA": str(tmp_path / "data"),
        "GOLIVE_WORK": str(tmp_path),
        "GOLIVE_MAJOR": "17",
        "GOLIVE_BYTES": "1000",
        "GOLIVE_REPO": "1",
        "GOLIVE_SET": "20261130-010203F",
        "GOLIVE_TYPE": "default",
        "GOLIVE_TARGET": "",
        "GOLIVE_TIMELINE": "1",
        "GOLIVE_LAST_SEGMENT": "",
        "GOLIVE_LOGIN": "",
        "GOLIVE_PROVE": "none",
        "GOLIVE_QUERIES": "0",
        "GOLIVE_USER": "postgres",
        **settings,
    }
    done = subprocess.run(["sh", "-c", SCRIPT], env=env, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout.splitlines()


def test_an_image_of_another_major_version_fetches_nothing(tmp_path: Path) -> None:
    code, lines = script(tmp_path, {"postgres": "echo 'postgres (PostgreSQL) 16.4 (Debian 16.4-1)'"})
    story = read_story(lines)
    assert code == 1
    assert story.facts["failed"] == "version"
    assert "16" in story.facts["why"]
    assert "fetch" not in story.began


def test_a_volume_without_room_fetches_nothing(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    programs = {"postgres": "echo 'postgres (PostgreSQL) 17.6'", "pgbackrest": f"touch {asked}", "pg_ctl": "exit 1"}
    code, lines = script(tmp_path, programs, GOLIVE_BYTES=str(1 << 60))
    story = read_story(lines)
    assert (code, story.facts["failed"]) == (1, "space")
    room = int(story.facts["why"].rpartition(" ")[2])
    assert f"needs {1 << 60} bytes" in story.facts["why"]
    assert abs(room - shutil.disk_usage(tmp_path).free) < 1 << 30
    assert not asked.exists()


def test_keys_in_a_message_of_the_engine_stay_in_the_pod(tmp_path: Path) -> None:
    message = "ERROR: [029]: unable to load info file '/r/backup.info': CryptoError: cipher-pass=SECRET-KEY"
    code, lines = script(
        tmp_path,
        {
            "postgres": "echo 'postgres (PostgreSQL) 17.6'",
            "pgbackrest": f'echo "P00  {message}" >&2; exit 29',
            "pg_ctl": "exit 1",
        },
    )
    story = read_story(lines)
    assert code == 1
    assert story.facts["failed"] == "engine"
    assert story.facts["why"].startswith("ERROR: [029]: unable to load info file")
    assert "SECRET-KEY" not in "\n".join([*lines, *story.facts.values()])


def test_the_engine_is_told_backup_timeline_and_target(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    programs = {"postgres": "echo 'postgres (PostgreSQL) 17.6'", "pgbackrest": f'echo "$@" >{asked}'}
    code, lines = script(
        tmp_path, programs, GOLIVE_TYPE="time", GOLIVE_TARGET="2026-11-30 09:00:00+00", GOLIVE_REPO="2"
    )
    assert code == 0
    assert read_story(lines).whole
    told = asked.read_text()
    for option in ("--repo=2", "--set=20261130-010203F", "--target-timeline=1", "--archive-mode=off", "--type=time"):
        assert option in told
    assert "--target=2026-11-30 09:00:00+00" in told
    assert "--target-action=promote" in told
