# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``postgresql`` with what Secrets of the cluster hold of it: password, name of the role, authority."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

if TYPE_CHECKING:
    from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

SECRETS = ("password_secret", "ca_secret")


def needs_cluster(options: Mapping[str, Any]) -> bool:
    """Whether something in the option ``postgresql`` is in a Secret."""
    return any(options.get(name) for name in SECRETS)


def with_secrets(client: Client, options: Mapping[str, Any], namespace: str | None, stack: ExitStack) -> dict[str, Any]:
    """The option with everything in it, ``password`` too; ``namespace`` is for Secrets that name none.

    The certificate authority becomes a file that is there until ``stack`` is left.

    Raises GoliveError ``invalid`` without a namespace, and as ``secret_value``.
    """
    from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value

    found = {**options, **dict.fromkeys(SECRETS)}
    login, authority = options.get("password_secret"), options.get("ca_secret")
    if login:
        place = namespace_of(login, namespace, "postgresql.password_secret")
        if login.get("user_key"):
            found["user"] = secret_value(client, place, login["name"], login["user_key"])
        found["password"] = secret_value(client, place, login["name"], login["key"])
    if authority:
        place = namespace_of(authority, namespace, "postgresql.ca_secret")
        found["sslrootcert"] = _file(secret_value(client, place, authority["name"], authority["key"]), stack)
        host = options.get("host") or os.environ.get("PGHOST")
        found["sslmode"] = options.get("sslmode") or ("verify-full" if host else "verify-ca")
    return found


def namespace_of(secret: Mapping[str, Any], namespace: str | None, option: str) -> str:
    """Where a Secret is. Raises GoliveError ``invalid`` when nobody has said it."""
    place = secret.get("namespace") or namespace
    if not place:
        raise GoliveError(
            "invalid",
            f"Cannot read the Secret {secret['name']}: no namespace is given.",
            f"Set namespace in {option}.",
        )
    return str(place)


def _file(text: str, stack: ExitStack) -> str:
    # libpq takes the authority from a file only.
    handle, path = tempfile.mkstemp(prefix="golive-ca-", suffix=".crt")
    stack.callback(_remove, path)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return path


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
