# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passphrase of the repositories, as the cluster has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value

_CIPHER, _KEY_ID = "cipher", "key_id"


@dataclass(frozen=True)
class Key:
    """The passphrase of the repositories, and the name of it that is no secret."""

    passphrase: str = field(repr=False)
    id: str | None


def read_key(client: Client, params: Mapping[str, Any]) -> Key:
    """What the Secret of the options ``key_secret``, ``app`` and ``namespace`` holds; raises as ``secret_value``."""
    name, namespace = params["key_secret"] or f"{params['app']}-postgres-backup-key", params["namespace"]
    passphrase = secret_value(client, namespace, name, _CIPHER)
    return Key(passphrase, secret_value(client, namespace, name, _KEY_ID).strip())
