# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a verb's options to a place to connect to: the tunnel and the password that the cluster holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text, mask_value
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, settings
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_spec import NOT_ASKED
from ansible_collections.golive.cutover.plugins.module_utils._reach.login import (
    namespace_of,
    needs_cluster,
    with_secrets,
)

if TYPE_CHECKING:
    from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
    from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_target import PodPort
    from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_programs import DumpPrograms


@dataclass(frozen=True)
class DatabasePod:
    """A pod that a tunnel leads to."""

    client: Client
    namespace: str
    at: PodPort


@dataclass(frozen=True)
class Reach:
    """Where to connect, and a call whose warnings and progress never show the password; ``pod`` is behind a tunnel."""

    call: Call
    where: Settings
    pod: DatabasePod | None = None

    @property
    def programs(self) -> Callable[[], DumpPrograms] | None:
        """Finds the programs of the pod behind a tunnel; None without one."""
        pod = self.pod
        if pod is None:
            return None
        from ansible_collections.golive.cutover.plugins.module_utils._reach.pod_programs import PodPrograms

        return lambda: PodPrograms(self.call, pod, self.where)

    def disk_free(self) -> int | None:
        """Bytes free on the volume of the pod behind a tunnel; None where nobody can tell."""
        room = self.disk_room()
        return room[0] if room else None

    def disk_room(self) -> tuple[int, int] | None:
        """Bytes free on the volume of the pod behind a tunnel, and its size; None where nobody can tell."""
        pod = self.pod
        if pod is None:
            return None
        from ansible_collections.golive.cutover.plugins.module_utils._reach.pod_disk import room_in_pod

        return room_in_pod(pod.client, pod.namespace, pod.at.pod)

    def refresh_files(self) -> None:
        """Have the files that are mounted into the pod behind a tunnel brought now; nothing to do without one."""
        pod = self.pod
        if pod is None:
            return
        from ansible_collections.golive.cutover.plugins.module_utils._reach.pod_mounts import refresh_mounts

        refresh_mounts(pod.client, pod.namespace, pod.at.pod)

    def masked(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """A result without the password, which may come from a Secret that Ansible knows nothing of."""
        masked: dict[str, Any] = mask_value(result, _secrets(self.where))
        return masked


@contextmanager
def reached(call: Call) -> Iterator[Reach]:
    """Open what the options ``postgresql``, ``tunnel`` and ``in_cluster`` of ``call`` ask for; errors come out without
    the password.
    """
    options = call.params.get("postgresql") or {}
    tunnel, inside = call.params.get("tunnel"), call.params.get("in_cluster")
    with ExitStack() as stack:
        where, pod = settings(options), None
        if tunnel or inside or needs_cluster(options):
            # Late: the library of Kubernetes takes longer to import than a run without a cluster takes in all.
            from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
            from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import await_pod, tunnel_to

            client = stack.enter_context(connected(call))
            options = with_secrets(client, options, (tunnel or inside or {}).get("namespace"), stack)
            where = settings(options)
            stack.enter_context(masking(_secrets(where)))
            if tunnel:
                at = await_pod(call, client, tunnel, where.port, where.connect_timeout)
                pod = DatabasePod(client, tunnel["namespace"], at)
                where = settings(options, address=stack.enter_context(tunnel_to(client, tunnel, where.port)))
            elif inside:
                from ansible_collections.golive.cutover.plugins.module_utils._reach.relay import relayed

                where = settings(options, address=stack.enter_context(relayed(call, client, where)))
        else:
            stack.enter_context(masking(_secrets(where)))
        yield Reach(_quiet(call, where), where, pod)


def unasked(call: Call, error: GoliveError) -> bool:
    """Whether check mode could not ask the database: it is not there yet, or only a Job reaches it."""
    return call.check_mode and error.code in ("not_found", NOT_ASKED)


def password_of(client: Client, secret: Mapping[str, Any] | None, namespace: str | None, option: str) -> str | None:
    """The password of an option like ``password_secret``, if it is given; ``namespace`` is for one that names none.

    Raises GoliveError ``invalid`` without a namespace, and as ``secret_value``.
    """
    if not secret:
        return None
    from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value

    return secret_value(client, namespace_of(secret, namespace, option), secret["name"], secret["key"])


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
def masking(secrets: list[str]) -> Iterator[None]:
    """Errors that leave the block do so without the secrets."""
    try:
        yield
    except GoliveError as error:
        error.message = mask_text(error.message, secrets)
        error.hint = mask_text(error.hint, secrets) if error.hint else None
        error.details = mask_value(error.details, secrets)
        error.args = (error.message,)
        raise
