# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every bench of this folder and keeps their tables in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
_EXPORT = re.compile(r"^export ([A-Z_]+)=(.*)$", re.MULTILINE)


def main() -> int:
    found = sorted(path.parent.name for path in BENCH.glob("*/run"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(found)}; all when none is given")
    parser.add_argument("--sample", action="store_true", help="short runs; the page stays as it is")
    options = parser.parse_args()
    text = subprocess.run([ROOT / "tests/cluster/cluster", "env"], check=True, capture_output=True, text=True).stdout
    os.environ.update({name: value.strip("'\"") for name, value in _EXPORT.findall(text)})
    failed = []
    for name in options.names or found:
        command = [str(BENCH / name / "run"), *(["--sample"] if options.sample else [])]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, flush=True)
        if done.returncode:
            failed.append(name)
        elif not options.sample:
            _keep(name, done.stdout.strip())
    if failed:
        print(f"These benches failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _keep(name: str, table: str) -> None:
    """Replace this bench's part of the page, or add it at the end."""
    begin, end = f"<!-- bench {name} -->", f"<!-- end {name} -->"
    page = PAGE.read_text()
    part = f"{begin}\n{table}\n{end}"
    known = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    PAGE.write_text(known.sub(lambda _match: part, page) if known.search(page) else f"{page.rstrip()}\n\n{part}\n")


if __name__ == "__main__":
    sys.exit(main())
