# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `ansible-test sanity` on a copy of the repository, without containers, both cores at the same time.

    sanity.py [oldest|newest ...] [-- ARGUMENTS OF ansible-test]

ansible-test wants to stand in a directory `ansible_collections/golive/cutover` by its real path, and skips everything,
without an error, where a git repository above ignores that directory. So the files of the checkout are copied below the
cache, where its virtual environments also survive. It runs with a home directory of its own, because it reads pip's
settings only from a file and fetches pip's installer from a place that not every machine reaches.
"""

from __future__ import annotations

import ast
import filecmp
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path

from python_env import REPOSITORY, cache, locked, say

SETUP = REPOSITORY / "tests" / "setup"
KEPT = "tests/output"
CORES = ("oldest", "newest")
NOISE = re.compile(
    r"Installing|Using cached|Looking in links|Processing|Successfully|Collecting|\s"
    r"|WARNING: (Skipping sanity test .* could not be found|Using locale|Required program)"
)
NOTHING_RUN = "All targets skipped"
INSTALLER = '''\
"""Stands in for pip's own installer: Python's bundled pip installs the pip that ansible-test asks for."""
import ensurepip
import os
import subprocess
import sys

ensurepip.bootstrap()
os.environ.pop("PIP_CONFIG_FILE", None)
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *wanted]))
'''


def tracked() -> list[str]:
    """Files of the checkout that git knows or would accept; every file when this is no git checkout."""
    listed = subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith(("build/", ".", KEPT)) and "__pycache__" not in name]
    return [name for name in names if (REPOSITORY / name).is_file()]


def copy(tree: Path) -> None:
    """Make the tree equal to the checkout; what ansible-test keeps there (its virtual environments) stays."""
    wanted = set(tracked())
    for path in sorted(tree.rglob("*"), reverse=True):
        name = str(path.relative_to(tree))
        if name == "tests" or name.startswith(KEPT) or name in wanted:
            continue
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        else:
            path.unlink()
    for name in sorted(wanted):
        target = tree / name
        if target.is_file() and filecmp.cmp(REPOSITORY / name, target, shallow=False):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, target)


def without_broken_pythons(path: str) -> str:
    """PATH without directories that hold a Python which does not run: ansible-test tries every one and stops there."""
    kept = []
    for directory in dict.fromkeys(path.split(os.pathsep)):
        pythons = [entry for entry in Path(directory).glob("python3*") if re.fullmatch(r"python3(\.\d+)?", entry.name)]
        if all(_runs(python) for python in pythons):
            kept.append(directory)
    return os.pathsep.join(kept)


def _runs(python: Path) -> bool:
    try:
        return subprocess.run([str(python), "-c", ""], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def prepare_home(home: Path) -> None:
    """Write pip's settings (environment included) as a file, and the installer under each name ansible-test may ask."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = ConfigParser(interpolation=None)
    settings["global"] = {"quiet": "1"}
    for line in listed.stdout.splitlines():
        name, value = line.split("=", 1)
        section, key = name.rsplit(".", 1)
        section = "global" if section == ":env:" else section
        if not settings.has_section(section):
            settings.add_section(section)
        settings[section][key] = ast.literal_eval(value)
    file = home / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8") as handle:
        settings.write(handle)
    file.chmod(0o600)

    import ansible_test

    source = Path(next(iter(ansible_test.__path__))) / "_internal" / "python_requirements.py"
    for version in re.findall(r"pip='([\d.]+)'", source.read_text(encoding="utf-8")):
        installer = home / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
        installer.parent.mkdir(parents=True, exist_ok=True)
        installer.write_text(INSTALLER, encoding="utf-8")


def inside(tree: Path, arguments: list[str]) -> int:
    """The part that runs with the chosen ansible-core on PATH."""
    home = tree.parents[2] / "home"
    prepare_home(home)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment.pop("PYTHONPATH", None)
    environment["HOME"] = str(home)
    environment["PATH"] = without_broken_pythons(os.environ["PATH"])
    command = ["ansible-test", "sanity", "--venv", "--requirements", "--color", "no", "--truncate", "0", *arguments]
    return subprocess.run(command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def check(core: str, arguments: list[str]) -> bool:
    """Copy and run for one ansible-core, telling each test as it begins and each finding."""
    started = time.monotonic()
    place = cache() / "sanity" / core
    tree = place / "ansible_collections" / "golive" / "cutover"
    nothing_run = False
    with locked(place / "lock"):
        copy(tree)
        run = [str(SETUP / "run"), core, "python3", str(Path(__file__).resolve()), "--inside", str(tree), *arguments]
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            for line in process.stdout or ():
                nothing_run = nothing_run or NOTHING_RUN in line
                if not NOISE.match(line):
                    print(f"{core}: {line}", end="", flush=True)
    passed = process.returncode == 0 and not nothing_run
    say(f"sanity, {core} ansible-core: {'passed' if passed else 'FAILED'}, {time.monotonic() - started:.0f} s")
    return passed


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--inside"]:
        return inside(Path(arguments[1]), arguments[2:])
    extra = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    cores = arguments[: arguments.index("--")] if "--" in arguments else arguments
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda core: check(core, extra), cores or CORES))
    print(f"{outcomes.count(True)} passed, {outcomes.count(False)} failed", flush=True)
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
