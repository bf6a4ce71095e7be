# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the kube-proxy of every node has worked off a change; reference section 2.3, R4, level ``node``.

Strong evidence, not proof: an unrelated sync can run before the change reaches a node. Metrics are read through the
API's node proxy, or, where kube-proxy listens on loopback only, through a port-forward to its pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import OK, Target, ask_fresh
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import tunnel

_PORT = 10249
_PODS = {"labelSelector": "k8s-app=kube-proxy"}
_READ_S = 4.0
_LAST_SYNC = "kubeproxy_sync_proxy_rules_last_timestamp_seconds"
_PENDING = ("kubeproxy_sync_proxy_rules_endpoint_changes_pending", "kubeproxy_sync_proxy_rules_service_changes_pending")


@dataclass(frozen=True)
class Sync:
    """One node: ``at`` is the end of its last sync (epoch, its clock, oldest family), ``pending`` the changes left.

    ``trouble`` says why nothing could be read.
    """

    at: float = 0.0
    pending: int = 0
    trouble: str = ""


def read_syncs(client: Client, families: Iterable[str]) -> dict[str, Sync]:
    """Every node's state by node name, for these address families; empty when the nodes may not be listed."""
    wanted = frozenset(families)
    try:
        nodes = [node["metadata"]["name"] for node in client.list("/api/v1/nodes")]
    except GoliveError as error:
        if error.code == "forbidden":
            return {}
        raise
    return dict(zip(nodes, client.map(lambda node: _read(client, node, wanted), nodes), strict=True))


def _read(client: Client, node: str, families: frozenset[str]) -> Sync:
    try:
        return parse(client.text(f"/api/v1/nodes/{node}:{_PORT}/proxy/metrics", retry=False, timeout=_READ_S), families)
    except GoliveError as refused:
        try:
            return _through_pod(client, node, families) or Sync(trouble=refused.message)
        except GoliveError as error:
            return Sync(trouble=error.message)


def _through_pod(client: Client, node: str, families: frozenset[str]) -> Sync | None:
    query = {**_PODS, "fieldSelector": f"spec.nodeName={node},status.phase=Running"}
    for pod in client.list("/api/v1/namespaces/kube-system/pods", query):
        with tunnel(client, "kube-system", f"pod/{pod['metadata']['name']}", _PORT) as address:
            url = f"http://localhost:{_PORT}/metrics"
            answer = ask_fresh(Target(url, timeout=_READ_S, address=(address[0], address[1])))
            if answer.kind != OK or answer.status != 200:
                return Sync(trouble=f"reading {url} in its kube-proxy pod: {answer.cause or answer.status}")
            return parse(answer.body.decode("utf-8", "replace"), families)
    return None


def parse(metrics: str, families: frozenset[str]) -> Sync:
    """A node's state out of its metrics page (Prometheus text format).

    Each family has a proxier of its own, which syncs only for changes of its family: a Service without IPv6 never
    moves the IPv6 series. Series without the label (before Kubernetes 1.34) count for every family.
    """
    stamps: list[float] = []
    pending = 0.0
    for line in metrics.splitlines():
        name, _space, value = line.rpartition(" ")
        series = name.partition("{")[0]
        if series == _LAST_SYNC and ("ip_family=" not in name or any(f'"{family}"' in name for family in families)):
            stamps.append(float(value))
        elif series in _PENDING:
            pending += float(value)
    if not stamps:
        return Sync(trouble="its metrics page has no " + _LAST_SYNC)
    return Sync(at=min(stamps), pending=int(pending))


def behind(before: Mapping[str, Sync], now: Mapping[str, Sync], since: float | None) -> dict[str, str]:
    """Nodes that have not worked off the change, with the reason.

    ``before`` was read before the change; without it ``since`` (epoch of the change by the API server's clock, whole
    seconds) is the bound, which trusts the clocks to a second.
    """
    found = {}
    for node, sync in now.items():
        if sync.trouble:
            found[node] = sync.trouble
        elif sync.pending:
            found[node] = f"{sync.pending} changes pending"
        elif sync.at <= before[node].at if node in before else since is not None and sync.at < since:
            found[node] = "no sync since the change"
    return found
