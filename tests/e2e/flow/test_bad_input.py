# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input: one clear error, nothing half-done, exit code not 0; secrets appear nowhere."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import kubectl
from tests.e2e.flow.faulty_api import Faults, faulty_api
from tests.e2e.flow.stage import ROOT, Stage, audit_mark, mutating_calls

PLANTED = "planted-Kx81vQ"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"app_verison": "2.0.0"}, "app_verison is not a setting; did you mean app_version?"),
        ({"app_port": "eighty"}, "app_port"),
        ({"app_image": None}, "app_image"),
        ({"postgres_mode": "embeded"}, "postgres_mode"),
        ({"app_expose": {"node_prot": 30001}}, "node_prot"),
        ({"app_expose": {"gateway": {"name": "edge"}}}, "set release_driver to gateway"),
        ({"postgres_mode": "none"}, "there is no database to migrate"),
        ({"migrate_path": "/nowhere"}, "/nowhere, which is no directory"),
    ],
)
def test_wrong_settings_change_nothing(
    cluster: dict[str, str], make_stage: Callable[..., Stage], settings: dict[str, object], said: str
) -> None:
    stage = make_stage(exposed=False, **settings)
    stage.settings = {name: value for name, value in stage.settings.items() if value is not None}
    mark = audit_mark(cluster)
    play = stage.play("site.yml")
    assert play.code != 0
    assert said in play.output
    assert mutating_calls(mark, stage.namespace) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("no file", "kubeconfig"),
        ("wrong address", "No answer from the API server"),
        ("wrong token", "Unauthorized"),
    ],
)
def test_no_way_to_the_cluster(
    cluster: dict[str, str], make_stage: Callable[..., Stage], tmp_path: Path, change: str, said: str
) -> None:
    config = yaml.safe_load(Path(cluster["KUBECONFIG"]).read_text())
    if change == "wrong address":
        config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    if change == "wrong token":
        config["users"][0]["user"] = {"token": PLANTED}
    path = tmp_path / "kubeconfig"
    if change != "no file":
        path.write_text(yaml.safe_dump(config))
        path.chmod(0o600)
    stage = make_stage(exposed=False, golive_kube={"kubeconfig": str(path)})
    play = stage.play("site.yml", "-vvv")
    assert play.code != 0
    assert said in play.output
    assert PLANTED not in play.output


def test_a_route_where_there_is_no_gateway_api(
    cluster: dict[str, str], make_stage: Callable[..., Stage], tmp_path: Path
) -> None:
    with faulty_api(tmp_path) as api:
        api.faults = Faults(hidden="/apis/gateway.networking.k8s.io/")
        stage = make_stage(
            exposed=False,
            golive_kube={"kubeconfig": str(api.kubeconfig)},
            app_expose={"host": "notes.example.org", "gateway": {"name": "edge"}},
            release_driver="gateway",
            release_gateway={"route": "notes"},
            release_probe_url="http://127.0.0.1:9/readyz",
        )
        mark = audit_mark(cluster)
        play = stage.play("site.yml")
    assert play.code != 0
    assert "this cluster has no Gateway API" in play.output, play.output
    assert "expose the app without a gateway" in play.output, play.output
    assert api.injected["hidden"] > 0
    assert mutating_calls(mark, stage.namespace) == []


def test_a_storage_class_that_is_not_there(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(exposed=False, postgres_storage_class="no-such-class")
    play = stage.play("site.yml")
    assert play.code != 0
    assert "no-such-class" in play.output
    assert "StorageClass" in play.output


def test_a_quota_that_is_too_small(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(exposed=False, postgres_mode="none", migrate_path="")
    kubectl("create", "namespace", stage.namespace)
    kubectl("-n", stage.namespace, "create", "quota", "small", "--hard=pods=0")
    play = stage.play("site.yml")
    assert play.code != 0
    assert "quota" in play.output.lower()
    left = kubectl("-n", stage.namespace, "get", "deployments,services", "-o", "name")
    assert "deployment.apps/notes-blue" not in left


def test_a_port_that_is_taken(live: Stage, make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(exposed=False, app_expose={"node_port": live.port}, postgres_mode="none", migrate_path="")
    foreign = {"app_image": "golive.test/httpbin", "app_version": "2.26.0", "app_live_path": ""}
    play = stage.play("site.yml", app_ready_path="/status/200", **foreign)
    assert play.code != 0
    assert "provided port is already allocated" in play.output, play.output


def test_a_wrong_database_password(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(exposed=False)
    assert stage.play("site.yml", "--tags", "preflight,postgres").code == 0
    wrong = base64.b64encode(PLANTED.encode()).decode()
    kubectl(
        "-n", stage.namespace, "patch", "secret", "notes-postgres-admin", "--type=merge", "-p",
        f'{{"data":{{"password":"{wrong}"}}}}',
    )  # fmt: skip
    play = stage.play("site.yml", "-vvv")
    assert play.code != 0
    assert "password" in play.output
    assert PLANTED not in play.output
    assert wrong not in play.output


def test_secrets_appear_nowhere(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(exposed=False, app_secrets=[{"name": "planted", "mount": "/etc/golive/planted"}])
    kubectl("create", "namespace", stage.namespace)
    kubectl("-n", stage.namespace, "create", "secret", "generic", "planted", f"--from-literal=key={PLANTED}")
    play = stage.play("site.yml", "-vvv", "--diff")
    assert play.code == 0, play.output
    kept = {"": "password", "-owner": "password", "-reader": "password", "-admin": "password", "-ca": r"ca\.key"}
    kept["-tls"] = r"tls\.key"
    planted = [PLANTED.encode()]
    for of, key in kept.items():
        path = f"jsonpath={{.data.{key}}}"
        encoded = kubectl("-n", stage.namespace, "get", "secret", f"notes-postgres{of}", "-o", path)
        # Of a key one line in the middle tells it.
        planted += [line for line in base64.b64decode(encoded).splitlines() if not line.startswith(b"-----")]
    assert len(planted) > len(kept)
    for secret in planted:
        assert secret.decode() not in play.output
        assert base64.b64encode(secret).decode() not in play.output


def test_an_app_that_is_not_ours_from_another_teams_playbook(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage()
    kept = ("ansible_connection", "ansible_python_interpreter", "app_namespace", "app_expose")
    stage.settings = {name: stage.settings[name] for name in kept} | {
        "app_image": "golive.test/httpbin", "app_version": "2.26.0", "app_port": 8080, "app_ready_path": "/status/200",
        "golive_profile": "mvp",
    }  # fmt: skip
    team = str(ROOT / "tests/e2e/flow/team.yml")
    play = stage.play(team)
    assert play.code == 0, play.output
    assert stage.get("/status/200")[0] == 200
    again = stage.play(team)
    assert (again.code, again.changed) == (0, 0), again.output
