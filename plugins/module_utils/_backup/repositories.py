# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``repositories`` of verbs that look into a store themselves: from Secrets and a tunnel to the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._backup.store_tunnel import proxy_into
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import tunnel_to
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import masking

_HTTPS = 443


def repositories_spec() -> dict[str, Any]:
    """A fresh argument spec of the option, as ``backup_repositories`` of the role ``backup`` has it."""
    return {
        "repositories": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "endpoint": {"type": "str", "required": True},
                "port": {"type": "int", "default": _HTTPS},
                "bucket": {"type": "str", "required": True},
                "region": {"type": "str", "default": "us-east-1"},
                "path": {"type": "str", "required": True},
                "uri_style": {"type": "str", "choices": ["path", "host"], "default": "path"},
                "secret": {
                    "type": "dict",
                    "required": True,
                    "no_log": False,
                    "options": {
                        "name": {"type": "str", "required": True},
                        "key": {"type": "str", "default": "access_key", "no_log": False},
                        "secret_key": {"type": "str", "default": "secret_key", "no_log": False},
                    },
                },
                "ca_secret": {
                    "type": "dict",
                    "no_log": False,
                    "options": {
                        "name": {"type": "str", "required": True},
                        "key": {"type": "str", "default": "ca.crt", "no_log": False},
                    },
                },
                "tunnel": {
                    "type": "dict",
                    "options": {
                        "namespace": {"type": "str", "required": True},
                        "service": {"type": "str", "required": True},
                        "port": {"type": "str"},
                    },
                },
            },
        }
    }


def place_of(row: Mapping[str, Any]) -> Place:
    """Where a repository of the option is."""
    endpoint = row["endpoint"] if row["port"] == _HTTPS else f"{row['endpoint']}:{row['port']}"
    return Place(endpoint, row["bucket"], row["region"], row["path"], row["uri_style"])


@contextmanager
def opened_store(call: Call, client: Client, row: Mapping[str, Any], namespace: str) -> Iterator[Store]:
    """The store of one repository; its Secrets are in ``namespace``. Errors come out without the keys.

    Raises GoliveError as ``secret_value``, ``tunnel`` and ``Store``.
    """
    secret, authority = row["secret"], row.get("ca_secret")
    keys = Keys(
        *(secret_value(client, namespace, secret["name"], secret[key]).strip() for key in ("key", "secret_key"))
    )
    ca = secret_value(client, namespace, authority["name"], authority["key"]) if authority else None
    with ExitStack() as stack:
        stack.enter_context(masking([keys.secret_key, keys.access_key]))
        proxy = None
        if row.get("tunnel"):
            address = stack.enter_context(tunnel_to(client, row["tunnel"], row["port"]))
            proxy = stack.enter_context(proxy_into(address, place_of(row).endpoint))
        yield stack.enter_context(Store(call, place_of(row), keys, ca=ca, proxy=proxy))
