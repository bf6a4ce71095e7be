# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many answers prove a switch, and what kube-proxy's metrics say."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic import proof
from ansible_collections.golive.cutover.plugins.module_utils._traffic.kube_proxy import Sync, behind, parse
from ansible_collections.golive.cutover.plugins.module_utils._traffic.proof import DOUBT, needed_in_a_row

METRICS = """# TYPE kubeproxy_sync_proxy_rules_last_timestamp_seconds gauge
kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"} 1.7955e+09
kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv6"} 1.7944e+09
kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"} 1.9e+09
kubeproxy_sync_proxy_rules_endpoint_changes_pending 2
kubeproxy_sync_proxy_rules_endpoint_changes_total 600
kubeproxy_sync_proxy_rules_service_changes_pending 1
"""


@pytest.mark.parametrize(("old", "new", "needed"), [(2, 2, 10), (1, 3, 25), (1, 9, 66), (0, 3, 1)])
def test_published_numbers(old: int, new: int, needed: int) -> None:
    assert needed_in_a_row(old, new) == needed


@given(old=st.integers(1, 50), new=st.integers(1, 50))
def test_a_stale_node_slips_through_with_less_than_the_doubt(old: int, new: int) -> None:
    needed = needed_in_a_row(old, new)
    stays = new / (old + new)
    assert stays**needed <= DOUBT * (1 + 1e-6)
    assert needed == 1 or stays ** (needed - 1) > DOUBT * (1 - 1e-6)


@given(old=st.integers(0, 50), new=st.integers(0, 50))
def test_a_number_always_comes(old: int, new: int) -> None:
    assert 1 <= needed_in_a_row(old, new) <= 1000


def test_metrics_count_the_families_of_the_service() -> None:
    assert parse(METRICS, frozenset({"IPv4"})) == Sync(at=1.7955e9, pending=3)
    assert parse(METRICS, frozenset({"IPv4", "IPv6"})).at == 1.7944e9
    unlabelled = "kubeproxy_sync_proxy_rules_last_timestamp_seconds 5\n"
    assert parse(unlabelled, frozenset({"IPv6"})) == Sync(at=5.0)
    assert parse("nothing 1\n", frozenset({"IPv4"})).trouble


def test_nodes_that_are_behind() -> None:
    now = {
        "a": Sync(at=20),
        "b": Sync(at=10),
        "c": Sync(at=30, pending=1),
        "d": Sync(trouble="refused"),
        "e": Sync(at=5),
    }
    before = {"a": Sync(at=10), "b": Sync(at=10), "c": Sync(at=10)}
    assert set(behind(before, now, None)) == {"b", "c", "d"}
    assert set(behind({}, now, 8.0)) == {"c", "d", "e"}
    assert set(behind({}, now, None)) == {"c", "d"}


def test_a_node_that_falls_behind_between_two_reads_is_read_twice_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    lagging_node = iter([Sync(at=20), Sync(at=20, pending=1), Sync(at=30), Sync(at=30), Sync(at=30)])
    reads: list[float] = []
    call = call_for_tests({})

    def read(*_of: object) -> dict[str, Sync]:
        reads.append(call.now())
        return {"a": next(lagging_node)}

    monkeypatch.setattr(proof, "read_syncs", read)
    nodes = proof.Nodes(call, cast(Client, None), ("IPv4",), {"a": Sync(at=10)}, apart=0.4)
    nodes.begin()
    nodes.begin()
    assert len(reads) == 1
    assert nodes.prove(5.0)["nodes"] == 1
    # Behind on the second, in sync on the third, and once more after the time between two reads.
    assert len(reads) == 4
    assert reads[3] - reads[2] >= 0.4


def test_a_read_that_began_early_counts_as_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    call = call_for_tests({})
    reads: list[float] = []

    def read(*_of: object) -> dict[str, Sync]:
        reads.append(call.now())
        return {"a": Sync(at=20)}

    monkeypatch.setattr(proof, "read_syncs", read)
    nodes = proof.Nodes(call, cast(Client, None), ("IPv4",), {"a": Sync(at=10)}, apart=0.2)
    nodes.begin()
    call.pause(0.2)
    nodes.prove(5.0)
    assert len(reads) == 2
