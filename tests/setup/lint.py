# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every linter, two at a time; show the output of those that complain and one line for each.

lint.py [NAME ...]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from python_env import REPOSITORY
from sanity import tracked

LINTERS = {
    "ansible-lint": ["ansible-lint", "--offline", "--strict", "--profile", "production", "--nocolor", "-q"],
    "mypy": ["mypy", "--no-color-output"],
    "ruff": ["ruff", "check", "--output-format", "concise"],
    "format": ["ruff", "format", "--check", "--output-format", "concise"],
    "yamllint": ["yamllint", "--strict", "."],
    "changelog": ["antsibull-changelog", "lint"],
    "shellcheck": ["shellcheck", "--severity", "style"],
}


def shell_scripts() -> list[str]:
    """Tracked files whose first line names sh or bash."""
    scripts = []
    for name in tracked():
        with open(REPOSITORY / name, "rb") as handle:
            first = handle.readline(80)
        if first.startswith(b"#!") and first[2:].split()[-1] in (b"/bin/sh", b"/bin/bash", b"sh", b"bash"):
            scripts.append(name)
    return scripts


def run(name: str) -> tuple[str, bool, float, str]:
    """Name, whether it passed, seconds and the output."""
    started = time.monotonic()
    command = [*LINTERS[name], *(shell_scripts() if name == "shellcheck" else [])]
    build = REPOSITORY / "build"
    # A copy of the collection in the user's own Ansible home would be linted in place of this one.
    home = {"ANSIBLE_HOME": str(build / "ansible-home")}
    environment = {**os.environ, **home, "RUFF_CACHE_DIR": str(build / "ruff")}
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return name, done.returncode == 0, time.monotonic() - started, done.stdout


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(LINTERS))
    if unknown:
        print(f"Unknown linter: {', '.join(unknown)}. Known: {', '.join(LINTERS)}", file=sys.stderr)
        return 2
    missing = [name for name in names or LINTERS if not shutil.which(LINTERS[name][0])]
    if missing:
        print(f"Not installed: {', '.join(missing)}. Run `make setup`.", file=sys.stderr)
        return 2
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for future in as_completed([pool.submit(run, name) for name in names or LINTERS]):
            name, passed, seconds, output = future.result()
            if not passed:
                failed += 1
                print(output.rstrip())
            print(f"lint, {name}: {'passed' if passed else 'FAILED'}, {seconds:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
