# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from tests.cluster import build, components, network, processes, provider, record, volumes
from tests.cluster.progress import ClusterError
from tests.cluster.provider_kind import configuration


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLIVE_CACHE", str(tmp_path))


def _record(name: str = "golive", subnet: int = 180, first_port: int = 30000) -> record.Record:
    return record.Record(name, "built", subnet, first_port, network.PORT_COUNT)


def test_two_clusters_share_nothing() -> None:
    one, two = _record(), _record("side", 181, 30100)
    for field in ("state", "node", "link", "tag", "cgroup", "node_address", "pod_subnet", "service_subnet"):
        assert getattr(one, field) != getattr(two, field)
    assert not set(one.node_ports) & set(two.node_ports)
    assert len(one.link) <= 15


def test_a_subnet_in_use_is_passed_over() -> None:
    assert network.free_subnet(["192.168.0.0/24", "default"][:1], ()) == network.SUBNETS[0]
    assert network.free_subnet(["10.180.3.0/24", "10.181.0.0/16"], {182}) == 183
    with pytest.raises(ClusterError, match="no free network"):
        network.free_subnet(["10.0.0.0/8"], ())


def test_a_port_in_use_moves_the_whole_range() -> None:
    first = network.free_ports(())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", first + 7))
        listener.listen()
        assert network.free_ports(()) > first
    assert network.free_ports({first}) > first


def test_every_firewall_rule_carries_the_tag() -> None:
    for rule in network.rules(_record()):
        assert "golive-cluster-golive" in rule


def test_record_survives_and_names_are_checked() -> None:
    assert record.load_record("golive") is None
    _record().save()
    assert record.load_record("golive") == _record()
    with pytest.raises(ClusterError, match="cluster name"):
        record.state_dir("../etc")


def test_a_reused_pid_is_not_the_owner() -> None:
    mine = _record()
    mine.state.mkdir(parents=True)
    assert processes.owner(mine) is None
    processes.write_pid_file(mine)
    assert processes.owner(mine) == os.getpid()
    (mine.state / "owner.pid").write_text(f"{os.getpid()} 1\n")
    assert processes.owner(mine) is None


def test_components_use_the_addresses_of_their_cluster() -> None:
    mine = _record(subnet=190)
    commands = {item.name: item.command for item in components.components(mine, Path("/k"), ["python3", "main"])}
    assert "--service-node-port-range=30000-30059" in commands["kube-apiserver"]
    assert f"--audit-log-path={mine.audit_log}" in commands["kube-apiserver"]
    assert "--metrics-bind-address=10.190.255.2:10249" in commands["kube-proxy"]
    assert commands["volumes"] == ["python3", "main", "_volumes", "--name", "golive"]


def test_settings_are_complete_and_stay_in_the_state_directory() -> None:
    files = components.settings_files(_record())
    assert json.loads(files["kubelet.json"])["cgroupRoot"] == "/golive-golive"
    assert json.loads(files["audit-policy.json"])["rules"] == [{"level": "Metadata"}]
    assert "restrict_oom_score_adj = true" in files["containerd.toml"]
    assert json.loads(files["cni/10-golive.conflist"])["plugins"][0]["ipam"]["ranges"] == [
        [{"subnet": "10.180.0.0/20"}]
    ]


def test_kubernetes_modules_point_at_the_published_staging_modules() -> None:
    upstream = (
        "module k8s.io/kubernetes\n\ngo 1.24.0\n\nrequire (\n\tgithub.com/a/b v1.0.0\n\tk8s.io/api v0.0.0\n"
        "\tk8s.io/klog/v2 v2.1.0\n\tk8s.io/sample-apiserver v0.0.0\n)\n\nreplace (\n"
        "\tk8s.io/api => ./staging/src/k8s.io/api\n"
        "\tk8s.io/sample-apiserver => ./staging/src/k8s.io/sample-apiserver\n)\n"
    )
    text = build.kubernetes_go_mod(upstream, "1.34.4")
    assert "\tk8s.io/kubernetes v1.34.4\n" in text
    assert "\tk8s.io/api v0.34.4\n" in text
    assert "\tk8s.io/api => k8s.io/api v0.34.4\n" in text
    assert "\tk8s.io/klog/v2 v2.1.0\n" in text
    assert "sample" not in text


def test_a_program_is_cached_by_version_and_source() -> None:
    one = build.Program("app", "1.0", module="example.test/app@v1.0")
    two = build.Program("app", "1.1", module="example.test/app@v1.1")
    assert one.path != two.path
    assert one.path == build.Program("app", "1.0", module="example.test/app@v1.0").path


def _claim(**changes: object) -> dict[str, object]:
    note = {volumes.CLAIM_NOTE: volumes.PROVISIONER}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "golive-local",
    }
    return {
        "metadata": {"name": "data", "namespace": "shop", "uid": "u1", "annotations": note},
        "spec": spec,
        **changes,
    }


def test_only_our_unbound_claims_get_a_volume(tmp_path: Path) -> None:
    assert volumes.wants_volume(_claim())
    assert not volumes.wants_volume(_claim(metadata={"name": "data", "namespace": "shop", "uid": "u1"}))
    assert not volumes.wants_volume(_claim(spec={"volumeName": "pv1"}))
    volume = volumes.volume_for(_claim(), _record(), tmp_path)
    assert volume["spec"]["local"]["path"] == f"{tmp_path}/pvc-u1"
    assert volume["spec"]["claimRef"]["uid"] == "u1"
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"


def test_environment_has_the_same_names_for_every_provider() -> None:
    found = provider.environment("golive", "built", Path("/k"), list(range(30000, 30060)), "local")
    assert found["GOLIVE_NODE_PORTS"].split() == [str(port) for port in range(30000, 30040)]
    assert found["GOLIVE_LIVE_URL"] == "http://127.0.0.1:30000"
    assert found["GOLIVE_PREVIEW_URL"] == "http://127.0.0.1:30001"
    assert found["GOLIVE_AUDIT_LOG"] == ""


def test_kind_maps_the_node_ports_to_loopback() -> None:
    mappings = configuration(_record())["nodes"][0]["extraPortMappings"]
    assert {item["listenAddress"] for item in mappings} == {"127.0.0.1"}
    assert mappings[0]["containerPort"] == mappings[0]["hostPort"] == 30000
