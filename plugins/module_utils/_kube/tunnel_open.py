# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open what the option ``tunnel`` of a verb describes; ``tunnel_spec`` says what it may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address, tunnel
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_target import PodPort, Target


def await_pod(
    call: Call, client: Client, options: Mapping[str, Any], port: int | str | None, timeout: float
) -> PodPort:
    """Where a tunnel would lead, waited for: a pod may be restarting, or miss one probe on a busy node.

    Raises GoliveError ``no_ready_pod`` with the last reason after ``timeout`` seconds, and at once what ``Target.pick``
    raises else.
    """
    target = Target(client, options["namespace"], _name(options), options.get("port") or port)
    end = call.now() + timeout

    def look() -> Done[PodPort] | Failed | Pending:
        try:
            return Done(target.pick())
        except GoliveError as error:
            if error.code != "no_ready_pod" or call.now() >= end:
                return Failed(error)
            return Pending(error.message)

    return wait_for(call, look, what=f"a ready pod of {target}", timeout=timeout)


@contextmanager
def tunnel_to(client: Client, options: Mapping[str, Any], port: int | str | None = None) -> Iterator[Address]:
    """Open the tunnel that ``options`` describe; ``port`` is used when they name none. Errors as of ``tunnel``."""
    with tunnel(client, options["namespace"], _name(options), options.get("port") or port) as address:
        yield address


def _name(options: Mapping[str, Any]) -> str:
    return f"service/{options['service']}" if options.get("service") else f"pod/{options['pod']}"
