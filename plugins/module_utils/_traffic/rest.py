# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the colour that was left rest at its warm size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.access import need_rights, rights_of_settle
from ansible_collections.golive.cutover.plugins.module_utils._traffic.balancer import drain_seconds
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drain_record import DrainRecord
from ansible_collections.golive.cutover.plugins.module_utils._traffic.refill import release_both
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.settle import Settle
from ansible_collections.golive.cutover.plugins.module_utils._traffic.sizing import size_of
from ansible_collections.golive.cutover.plugins.module_utils._traffic.steps import Record
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish


def settle_old(
    call: Call,
    client: Client,
    app: ServiceDriver,
    wish: Wish,
    record: Record,
    read_live: Callable[[], str | None],
) -> dict[str, Any] | None:
    """R7 on the colour that is not live; None when it is not asked for, or the colour is not there.

    Raises GoliveError ``lease_lost`` and ``forbidden``; every other failure is told in the result and as a warning.
    """
    path = client.path_of("apps/v1", "Deployment", app.namespace, f"{app.name}-{wish.old}")
    deployment = client.get_or_none(path) if wish.settle else None
    if wish.settle is None or deployment is None:
        return None
    if call.check_mode:
        planned = DrainRecord(call.now, size_of(deployment), wish.settle)
        planned.size = min(planned.size, wish.settle.replicas)
        return planned.as_dict()

    def still_left() -> None:
        if read_live() != wish.to:
            raise GoliveError("overtaken", f"not all traffic is on {wish.to} any more.")

    with record.step("settle") as step:
        warm = max(wish.settle.replicas, release_both(call, client, app).get(deployment["metadata"]["name"], 0))
        if size_of(deployment) > warm:
            need_rights(client, app.namespace, rights_of_settle())
        if warm > wish.settle.replicas:
            call.warn(f"{deployment['metadata']['name']} stays at {warm} pods: that is the least of its autoscaler.")
        balancer_s = drain_seconds(app.service() or {"metadata": {}})
        drain = Settle(
            call, client, deployment, replace(wish.settle, replicas=warm), balancer_s, app.token, still_left
        ).run()
        step.update({"from": drain["from"], "to": drain["to"]})
    return drain
