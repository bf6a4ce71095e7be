# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the data plane."""

from __future__ import annotations

import argparse
import shlex
import time

from tests.cluster.progress import ClusterError, say

from . import build
from .install import Installation


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="gateway", description="A Gateway API data plane on the test cluster.")
    parser.add_argument("verb", choices=("build", "up", "down", "env"))
    parser.add_argument("--name", default="golive", help="name of the cluster (default: %(default)s)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        if options.verb == "build":
            build.ensure()
        else:
            _run(Installation(options.name), options.verb)
    except ClusterError as error:
        say(f"gateway: {error}")
        return 1
    if options.verb != "env":
        say(f"gateway {options.verb} done after {time.monotonic() - started:.1f} s")
    return 0


def _run(installation: Installation, verb: str) -> None:
    if verb == "down":
        installation.down()
        return
    if verb == "up":
        installation.up()
    for name, value in installation.env().items():
        print(f"export {name}={shlex.quote(value)}")
