# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passwords that logins shall have, as they are given or as Secrets of the cluster hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import password_of


def login_passwords(
    call: Call, logins: Sequence[Mapping[str, Any]], option: str = "logins[{number}].password_secret"
) -> list[str | None]:
    """One for each of the dicts with ``password`` and ``password_secret``; None where there is none.

    ``option`` is what an error calls the second one. In check mode a Secret that is not there yet gives None.
    Raises GoliveError as ``password_of``.
    """
    if not any(login["password_secret"] for login in logins):
        return [login["password"] for login in logins]
    # Late: the library of Kubernetes takes longer to import than a run without a cluster takes in all.
    from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected

    namespace = (call.params.get("tunnel") or {}).get("namespace")
    found: list[str | None] = []
    with connected(call) as client:
        for number, login in enumerate(logins):
            secret, called = login["password_secret"], option.format(number=number)
            try:
                found.append(password_of(client, secret, namespace, called) if secret else login["password"])
            except GoliveError as error:
                if not call.check_mode or error.code != "not_found":
                    raise
                found.append(None)
    return found
