# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``tunnel`` of verbs that speak to something inside a cluster: pairs with the doc fragment ``tunnel``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address, tunnel


def tunnel_spec() -> dict[str, Any]:
    """A fresh argument spec of the option."""
    return {
        "tunnel": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "service": {"type": "str"},
                "pod": {"type": "str"},
                "port": {"type": "str"},
            },
            "mutually_exclusive": [("service", "pod")],
            "required_one_of": [("service", "pod")],
        },
    }


@contextmanager
def tunnel_to(client: Client, options: Mapping[str, Any], port: int | str | None = None) -> Iterator[Address]:
    """Open the tunnel that ``options`` describe; ``port`` is used when they name none. Errors as of ``tunnel``."""
    target = f"service/{options['service']}" if options.get("service") else f"pod/{options['pod']}"
    with tunnel(client, options["namespace"], target, options.get("port") or port) as address:
        yield address
