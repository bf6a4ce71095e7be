# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python virtual environments of the tests, built once under the user's cache.

    python_env.py path NAME     build it when needed and print its directory
    python_env.py find NAME     print the Python that would carry it; exit code 3 when there is none

The directory name holds a hash of the requirements, the ansible-core range and the Python, so a change of
any of them makes a new environment and checkouts share an old one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NO_PYTHON = 3
PROBE = (
    "import ctypes, ensurepip, ssl, sqlite3, sys, venv; "
    "print('%d.%d.%d' % sys.version_info[:3], getattr(sys, '_base_executable', sys.executable))"
)
MANAGED = (
    "{PYENV_ROOT}/versions/*/bin",
    "~/.pyenv/versions/*/bin",
    "~/.asdf/installs/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin",
    "~/.local/share/uv/python/*/bin",
    "/opt/python*/bin",
    "/opt/python/*/bin",
)


@dataclass(frozen=True)
class Environment:
    """ansible-core range, the (inclusive) range of minor Python 3 versions that runs it, requirement files."""

    core: str
    minors: tuple[int, int]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Python:
    """A Python that was seen running, with everything a virtual environment needs."""

    path: str
    version: str

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])


TESTS = ("requirements.txt", "requirements-test.txt")
ENVIRONMENTS = {
    "main": Environment(">=2.18,<2.22", (11, 14), (*TESTS, "requirements-lint.txt")),
    "oldest": Environment("==2.18.*", (11, 13), TESTS),
    "newest": Environment("==2.21.*", (12, 14), TESTS),
}


def cache() -> Path:
    """The directory of everything that is built once: `$GOLIVE_CACHE`, else below `$XDG_CACHE_HOME` or `~/.cache`."""
    own = os.environ.get("GOLIVE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golive-cutover"


def probe(path: str) -> Python | None:
    """Run a candidate; a version manager's shim that exists but does not run gives None."""
    try:
        seen = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if seen.returncode != 0:
        return None
    version, executable = seen.stdout.strip().split(" ", 1)
    return Python(executable, version)


def candidates(minors: tuple[int, int]) -> Iterator[str]:
    """`python3` of PATH first, then by version on PATH, then where version managers put them."""
    names = [f"python3.{minor}" for minor in range(minors[0], minors[1] + 1)]
    for name in ("python3", *names):
        found = shutil.which(name)
        if found:
            yield found
    for pattern in MANAGED:
        place = pattern.replace("{PYENV_ROOT}", os.environ.get("PYENV_ROOT") or "/nonexistent")
        root = Path(place).expanduser()
        for directory in sorted(Path("/").glob(str(root)[1:])):
            for name in names:
                if (directory / name).exists():
                    yield str(directory / name)


def find(environment: Environment) -> Python | None:
    """The first Python that runs and is in range."""
    for candidate in candidates(environment.minors):
        python = probe(candidate)
        if python and environment.minors[0] <= python.minor <= environment.minors[1]:
            return python
    return None


def say(text: str) -> None:
    """Progress goes to stderr: stdout is the answer."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One builder at a time, over processes; the lock ends with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def build(name: str, environment: Environment, python: Python, target: Path) -> None:
    """Make the environment in place (a virtual environment cannot be moved) and mark it complete at the end."""
    started = time.monotonic()
    say(f"python environment {name}: ansible-core {environment.core}, Python {python.version} (a few minutes once)")
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([python.path, "-m", "venv", str(target)], check=True, stdout=sys.stderr)
    install = [str(target / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # the bundled pip resolves several times slower than a current one
    subprocess.run([*install, "--upgrade", "pip"], check=True, stdout=sys.stderr)
    for file in environment.files:
        install += ["--requirement", str(REPOSITORY / file)]
    subprocess.run([*install, f"ansible-core{environment.core}"], check=True, stdout=sys.stderr)
    (target / "complete").touch()
    say(f"python environment {name}: ready after {time.monotonic() - started:.0f} s")


def ensure(name: str) -> Path:
    """The environment's directory, built when it is not there or its Python has gone."""
    environment = ENVIRONMENTS[name]
    python = find(environment)
    if python is None:
        low, high = environment.minors
        say(f"No working Python 3.{low} to 3.{high} with venv was found; install python3.{low} and python3.{low}-venv.")
        raise SystemExit(NO_PYTHON)
    key = hashlib.sha256(f"{environment.core}\n{python.version}\n{python.path}\n".encode())
    for file in environment.files:
        key.update((REPOSITORY / file).read_bytes())
    target = cache() / "venvs" / f"{name}-py3.{python.minor}-{key.hexdigest()[:12]}"
    with locked(target.with_name(f"{target.name}.lock")):
        if not (target / "complete").exists() or probe(str(target / "bin/python")) is None:
            build(name, environment, python, target)
    return target


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in ("path", "find") or arguments[1] not in ENVIRONMENTS:
        say(f"usage: python_env.py path|find {'|'.join(ENVIRONMENTS)}")
        return 2
    if arguments[0] == "path":
        print(ensure(arguments[1]))
        return 0
    python = find(ENVIRONMENTS[arguments[1]])
    if python is None:
        return NO_PYTHON
    print(python.path)
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as failure:
        say(f"Command failed with exit code {failure.returncode}: {' '.join(map(str, failure.cmd))}")
        raise SystemExit(1) from None
