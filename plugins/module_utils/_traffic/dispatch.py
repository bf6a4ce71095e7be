# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of the verb to the driver that carries them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import own_token
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drivers import ShareDriver, need_features
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_driver import GatewayDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.replica_driver import ReplicaDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.rest import settle_old
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.shift import Shift
from ansible_collections.golive.cutover.plugins.module_utils._traffic.steps import Record
from ansible_collections.golive.cutover.plugins.module_utils._traffic.switch import Switch
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish, read_wish

# Drivers that move by shares; each takes the call, the client and the app as its live Service shows it.
_SHARE_DRIVERS: Mapping[str, Callable[[Call, Client, ServiceDriver], ShareDriver]] = {
    GatewayDriver.kind: GatewayDriver,
    ReplicaDriver.kind: ReplicaDriver,
}


def run_switch(call: Call, client: Client) -> dict[str, Any]:
    """The result of the verb; raises GoliveError, ``unsupported`` when the driver lacks a requested feature."""
    wish = read_wish(call.params)
    app = app_of(call, client)
    with Record(call) as record:
        mover = _mover(call, client, app, wish, record)
        try:
            result = mover.run()
            drain = settle_old(call, client, app, wish, record, mover.read_live)
            shrunk = drain is not None and drain["from"] != drain["to"]
            return {**result, "drain": drain, "changed": result["changed"] or shrunk, **record.report()}
        except GoliveError as error:
            known = {"returned": False, "live": mover.live, **record.report()}
            raise GoliveError(error.code, error.message, error.hint, {**known, **error.details}) from error


def _mover(call: Call, client: Client, app: ServiceDriver, wish: Wish, record: Record) -> Switch | Shift:
    if wish.driver == ServiceDriver.kind:
        need_features(wish.driver, ServiceDriver.features, wish)
        return Switch(call, client, app, wish, record)
    driver = share_driver(wish.driver, call, client, app)
    need_features(wish.driver, driver.features, wish)
    return Shift(call, client, app, driver, wish, record)


def share_driver(kind: str, call: Call, client: Client, app: ServiceDriver) -> ShareDriver:
    """The driver of that kind; raises GoliveError ``unsupported`` when there is none."""
    if kind not in _SHARE_DRIVERS:
        raise GoliveError("unsupported", f"There is no driver {kind}.", "Use another driver.", {"driver": kind})
    return _SHARE_DRIVERS[kind](call, client, app)


def app_of(call: Call, client: Client) -> ServiceDriver:
    """The app whose live Service and namespace the options name."""
    params = call.params
    return ServiceDriver(call, client, params["namespace"], params["service"], params["colour_key"], own_token(params))
