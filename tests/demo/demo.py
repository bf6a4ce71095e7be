# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a bare machine to a release under live load, a rollback and a refused release; ends with the ledger."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_EXPORT = re.compile(r"^export ([A-Z_]+)=(.*)$", re.MULTILINE)
_LOAD_S = 170
_FRESH_RATE = 40
_KEEPALIVE_RATE = 80
switches: list[str] = []


def main() -> int:
    started = time.monotonic()
    say("A real cluster on this machine (the first time builds it, which takes minutes)")
    run("tests/cluster/cluster", "up")
    manifest = build_images()
    os.environ.update(cluster_env())
    ready = time.monotonic()

    say("Nothing is there yet. Take notes 1.0.0 and its PostgreSQL to production")
    playbook("site.yml", "-e", "app_version=1.0.0", "-e", "migrate_target=0001")

    with tempfile.TemporaryDirectory(prefix="golive-demo-") as private:
        ledger = Path(private) / "ledger.json"
        load = start_load(manifest["programs"]["load"], ledger, Path(private) / "ready")
        try:
            say(f"Under load ({_FRESH_RATE + _KEEPALIVE_RATE} requests a second): release 2.0.0 with its migration")
            playbook("release.yml", "-e", "app_version=2.0.0", "-e", "migrate_target=0002")
            say("Still under load: back to 1.0.0")
            playbook("rollback.yml")
            say("Still under load: release a version whose image does not exist; it must be refused")
            refused = time.monotonic()
            code = playbook("release.yml", "-e", "app_version=3.0.0-badimage", "-e", "migrate_target=0002", check=False)
            refused = time.monotonic() - refused
        finally:
            load.send_signal(signal.SIGTERM)
            load.wait(timeout=30)
        counts = json.loads(ledger.read_text())
    playbook("status.yml")
    failed = report(counts, refused)
    say(f"Done in {time.monotonic() - ready:.0f} s, after {ready - started:.0f} s of preparation")
    print_farewell()
    if code == 0:
        return fail("The release whose image does not exist was not refused.")
    return fail(f"{failed} requests failed.") if failed else 0


def say(text: str) -> None:
    print(f"\n==> {text}", flush=True)


def fail(text: str) -> int:
    print(f"\n{text}", file=sys.stderr)
    return 1


def run(*command: str | Path, check: bool = True) -> int:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if check and done.returncode:
        sys.exit(fail(f"{shlex.join(str(part) for part in command)} failed."))
    return done.returncode


def playbook(name: str, *arguments: str, check: bool = True) -> int:
    """Run a playbook before the reader's eyes, and remember what it said of its switch."""
    command = ["ansible-playbook", "-i", "inventories/local", f"playbooks/{name}", *arguments]
    print(f"$ {shlex.join(command)}", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in process.stdout or ():
        print(line, end="", flush=True)
        if "switched in" in line:
            switches.append(line.split('"')[3].strip())
    if process.wait() and check:
        sys.exit(fail(f"{shlex.join(command)} failed."))
    return process.returncode


def build_images() -> dict[str, Any]:
    command = ["tests/images/build", "notes", "postgres", "load", "--manifest"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        sys.exit(fail("The images could not be built."))
    manifest: dict[str, Any] = json.loads(Path(built.stdout.strip()).read_text())
    wanted = [image["archive"] for image in manifest["images"].values() if image["name"] in ("notes", "postgres")]
    run("tests/cluster/cluster", "load", *wanted)
    return manifest


def cluster_env() -> dict[str, str]:
    text = subprocess.run([ROOT / "tests/cluster/cluster", "env"], check=True, capture_output=True, text=True).stdout
    return {name: value.strip("'\"") for name, value in _EXPORT.findall(text)}


def wait_until_served(url: str) -> None:
    """The node needs a moment for a Service that is new; the ledger is about releases, not about that moment."""
    good, end = 0, time.monotonic() + 60
    while good < 50:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                good = good + 1 if answer.status == 200 else 0
        except OSError:
            good = 0
        if time.monotonic() > end:
            sys.exit(fail("The live Service did not answer."))
        time.sleep(0.02)


def start_load(program: str, ledger: Path, ready: Path) -> subprocess.Popen[bytes]:
    wait_until_served(os.environ["GOLIVE_LIVE_URL"] + "/healthz")
    process = subprocess.Popen(
        [
            *(program, "-target", os.environ["GOLIVE_LIVE_URL"], "-seconds", str(_LOAD_S), "-quiet"),
            *("-fresh-rate", str(_FRESH_RATE), "-keepalive-rate", str(_KEEPALIVE_RATE)),
            *("-request", "GET /notes?q=load", "-request", "POST /notes " + json.dumps({"text": "written under load"})),
            *("-ledger", str(ledger), "-ready-file", str(ready)),
        ]
    )
    end = time.monotonic() + 15
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            sys.exit(fail("The load did not get an answer from the live Service."))
        time.sleep(0.1)
    return process


def report(counts: dict[str, Any], refused: float) -> int:
    say("The ledger of the load")
    print(f"sent {counts['sent']}  answered well {counts['ok']}  failed {counts['failed']}")
    print("failed by kind: " + ", ".join(f"{kind} {number}" for kind, number in counts["failed_by"].items()))
    for what in ("colours", "versions"):
        for name, tally in sorted(counts[what].items()):
            first, last = tally["first_ms"] / 1000, tally["last_ms"] / 1000
            print(f"{what[:-1]} {name}: {tally['answers']} answers, {first:.1f} s to {last:.1f} s")
    print("latency ms: " + ", ".join(f"{name} {value:.1f}" for name, value in counts["latency_ms"].items()))
    print("\n".join(switches))
    print(f"the bad release was refused after {refused:.1f} s")
    return int(counts["failed"])


def print_farewell() -> None:
    print(
        f"""
Look around:   eval "$(tests/cluster/cluster env)"; kubectl -n notes get all
               curl -i {os.environ["GOLIVE_LIVE_URL"]}/
Remove it:     tests/cluster/cluster down          (or make clean for everything that was built)
"""
    )


if __name__ == "__main__":
    sys.exit(main())
