# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the test cluster."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from pathlib import Path

from . import supervisor, volumes
from .progress import ClusterError, say
from .provider import choose

DEFAULT_NAME = "golive"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options)
    except ClusterError as error:
        say(f"cluster: {error}")
        return 1
    except KeyboardInterrupt:
        say("cluster: interrupted; `cluster down` removes what is there")
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.verb == "_launch":
        return supervisor.launch(options.name, options.lock)
    if options.verb == "_supervise":
        return supervisor.supervise(options.name)
    if options.verb == "_volumes":
        return volumes.serve(options.name)
    provider = choose(options.name, options.kubeconfig, options.provider)
    if options.verb == "up":
        started = time.monotonic()
        provider.up()
        say(f"cluster {options.name} ({provider.name}) is up after {time.monotonic() - started:.1f} s")
    elif options.verb == "down":
        provider.down()
    elif options.verb == "load":
        provider.load([Path(archive) for archive in options.archive])
    elif options.verb == "env":
        for name, value in provider.env().items():
            print(f"export {name}={shlex.quote(value)}")
    else:
        usable, rows = provider.status()
        for title, text in rows:
            print(f"{title:<22} {text}")
        return 0 if usable else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", default=DEFAULT_NAME, help="name of the cluster (default: %(default)s)")
    common.add_argument("--kubeconfig", help="use the cluster of this kubeconfig (or set GOLIVE_TEST_KUBECONFIG)")
    common.add_argument("--provider", choices=("kubeconfig", "kind", "built"), help="do not choose by what is there")
    parser = argparse.ArgumentParser(prog="cluster", description="A real Kubernetes cluster for the tests.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="up|down|status|env|load")
    verbs.add_parser("up", parents=[common], help="create it, or do nothing when it is up")
    verbs.add_parser("down", parents=[common], help="remove it without a trace, also after a crash")
    verbs.add_parser("status", parents=[common], help="show it; exit code 1 when it is not usable")
    verbs.add_parser("env", parents=[common], help="print export lines for a shell")
    load = verbs.add_parser("load", parents=[common], help="import images from OCI or docker archives")
    load.add_argument("archive", nargs="+")
    for hidden in ("_launch", "_supervise", "_volumes"):
        verbs.add_parser(hidden, parents=[common]).add_argument("--lock", type=int, default=-1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
