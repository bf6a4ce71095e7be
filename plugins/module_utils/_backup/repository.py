# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository as an entry of ``repositories`` describes it: the store with the keys that the cluster holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import STANZA
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Keys, Place, Store
from ansible_collections.golive.cutover.plugins.module_utils._backup.store_tunnel import proxy_into
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive, read_archives
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import SEGMENT_BYTES
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import tunnel_to

_TLS_PORT = 443


@contextmanager
def opened(call: Call, client: Client, namespace: str, row: Mapping[str, Any]) -> Iterator[Store]:
    """The store of one repository, whose Secrets are in ``namespace``; through a tunnel where ``row`` has one.

    Raises GoliveError as ``secret_value``, the tunnel and the store.
    """
    port = row.get("port") or _TLS_PORT
    endpoint = row["endpoint"] if port == _TLS_PORT else f"{row['endpoint']}:{port}"
    secret, authority = row["secret"], row.get("ca_secret")
    keys = Keys(
        secret_value(client, namespace, secret["name"], secret["key"]),
        secret_value(client, namespace, secret["name"], secret["secret_key"]),
    )
    ca = secret_value(client, namespace, authority["name"], authority["key"]) if authority else None
    place = Place(endpoint, row["bucket"], row["region"], row["path"], row["uri_style"])
    with ExitStack() as stack:
        proxy = None
        if row.get("tunnel"):
            address = stack.enter_context(tunnel_to(client, row["tunnel"], port))
            proxy = stack.enter_context(proxy_into(address, endpoint))
        yield stack.enter_context(Store(call, place, keys, ca=ca, proxy=proxy))


def archive_of(store: Store, archive_id: str, encrypted: bool) -> Archive:
    """The archive with this id, such as ``17-1``, by a listing of our own; empty where nothing is there."""
    below = f"archive/{STANZA}/"
    entries = (replace(entry, name=entry.name.removeprefix(below)) for entry in store.list(f"{below}{archive_id}/"))
    return read_archives(entries, encrypted=encrypted).get(archive_id) or Archive(archive_id, SEGMENT_BYTES)
