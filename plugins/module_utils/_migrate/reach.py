# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a verb's options to a place to connect to: the tunnel and the password that the cluster holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text, mask_value
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, settings


def _untold() -> int | None:
    return None


@dataclass(frozen=True)
class Reach:
    """Where to connect, and a call whose warnings and progress never show the password.

    ``disk_free`` asks for the bytes free on the database's volume; None where nobody can tell.
    """

    call: Call
    where: Settings
    disk_free: Callable[[], int | None] = _untold

    def masked(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """A result without the password, which may come from a Secret that Ansible knows nothing of."""
        masked: dict[str, Any] = mask_value(result, _secrets(self.where))
        return masked


@contextmanager
def reached(call: Call) -> Iterator[Reach]:
    """Open what the options ``postgresql`` and ``tunnel`` of ``call`` ask for; errors come out without the password."""
    options = call.params.get("postgresql") or {}
    secret, tunnel = options.get("password_secret"), call.params.get("tunnel")
    disk_free: Callable[[], int | None] = _untold
    with ExitStack() as stack:
        where = settings(options)
        if tunnel or secret:
            # Late: the library of Kubernetes takes longer to import than a run without a cluster takes in all.
            from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
            from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value
            from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import await_pod, tunnel_to
            from ansible_collections.golive.cutover.plugins.module_utils._migrate.pod_disk import free_in_pod

            client = stack.enter_context(connected(call))
            password = None
            if secret:
                password = secret_value(client, _namespace(secret, tunnel), secret["name"], secret["key"])
            where = settings(options, password)
            stack.enter_context(_masking(where))
            if tunnel:
                pod = await_pod(call, client, tunnel, where.port, where.connect_timeout).pod
                disk_free = partial(free_in_pod, client, tunnel["namespace"], pod)
                where = settings(options, password, stack.enter_context(tunnel_to(client, tunnel, where.port)))
        else:
            stack.enter_context(_masking(where))
        yield Reach(_quiet(call, where), where, disk_free)


def _namespace(secret: Mapping[str, Any], tunnel: Mapping[str, Any] | None) -> str:
    namespace: str | None = secret.get("namespace") or (tunnel or {}).get("namespace")
    if not namespace:
        raise GoliveError(
            "invalid",
            f"Cannot read the password from the Secret {secret['name']}: no namespace is given.",
            "Set namespace in postgresql.password_secret.",
        )
    return namespace


def _secrets(where: Settings) -> list[str]:
    return [where.password] if where.password else []


def _quiet(call: Call, where: Settings) -> Call:
    secrets = _secrets(where)
    return replace(
        call,
        warn=lambda text: call.warn(mask_text(text, secrets)),
        show=lambda text, done, total: call.show(mask_text(text, secrets), done, total),
    )


@contextmanager
def _masking(where: Settings) -> Iterator[None]:
    try:
        yield
    except GoliveError as error:
        secrets = _secrets(where)
        error.message = mask_text(error.message, secrets)
        error.hint = mask_text(error.hint, secrets) if error.hint else None
        error.details = mask_value(error.details, secrets)
        error.args = (error.message,)
        raise
