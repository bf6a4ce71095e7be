# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault that the real data plane does not show: a balancer of pods that detaches old targets before new ones are in.

So do balancers of clouds that address pods directly: they follow the endpoints of a Service, drop at once what left it,
and register what joined it seconds later.
"""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.e2e.traffic.forwarding import forwarding

# No {range}: kubectl would say nothing after the first event of a watch.
_READY = '{.metadata.name} {.endpoints[?(@.conditions.ready==true)].targetRef.name}{"\\n"}'


class _Targets:
    """Pods of a Service by the time from which they get requests."""

    def __init__(self, attach_s: float) -> None:
        self._attach_s = attach_s
        self._since: dict[str, dict[str, float]] = {}
        self._turn = itertools.count()

    def follow(self, lines: Iterator[str]) -> None:
        """Take in what a watch tells: the name of a slice and its ready pods. Its first pods count at once."""
        for line in lines:
            slice_name, *pods = line.split()
            known = self._since.get(slice_name)
            due = 0.0 if known is None else time.monotonic() + self._attach_s
            self._since = {**self._since, slice_name: {pod: (known or {}).get(pod, due) for pod in pods}}

    def next(self) -> str:
        """The pod whose turn it is; empty when none is attached."""
        now = time.monotonic()
        attached = sorted(pod for pods in self._since.values() for pod, since in pods.items() if since <= now)
        return attached[next(self._turn) % len(attached)] if attached else ""


@contextmanager
def detaching_balancer(namespace: str, service: str, addresses: Mapping[str, str], attach_s: float) -> Iterator[str]:
    """Sends to the ready pods of ``service``, to new ones ``attach_s`` seconds after they joined it.

    ``addresses`` lead to the pods whose names begin with the key.
    """
    targets = _Targets(attach_s)
    selector = f"kubernetes.io/service-name={service}"
    watch = subprocess.Popen(
        ["kubectl", "-n", namespace, "get", "endpointslices", "-l", selector, "--watch", "-o", f"jsonpath={_READY}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watch.stdout is not None
    follower = threading.Thread(target=targets.follow, args=(watch.stdout,))
    follower.start()

    def choose() -> tuple[str, str]:
        pod = targets.next()
        return next((address for name, address in addresses.items() if pod.startswith(name)), ""), ""

    try:
        with forwarding(choose) as url:
            yield url
    finally:
        watch.terminate()
        watch.wait(timeout=30)
        follower.join(timeout=30)
