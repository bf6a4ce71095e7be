# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Leases for tests that need a run which holds one, or has lost it."""

from __future__ import annotations

import secrets

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import this_holder
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease import Wish, acquire


def take(namespace: str, app: str = "shop", token: int = 1, duration: int = 60) -> dict[str, str]:
    """The option ``lease`` of a run that takes the Lease over, with at least this token."""
    identity = f"test-{secrets.token_hex(3)}"
    wish = Wish(namespace, f"{app}-golive", identity, this_holder(), {"run_id": identity}, duration, take_over=True)
    call = call_for_tests({})
    with connected(call) as client:
        return acquire(call, client, wish, least=token - 1).held.as_dict()
