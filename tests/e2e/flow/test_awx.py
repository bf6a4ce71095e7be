# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of AWX, run as AWX runs them: by ansible-runner, on a terminal, with its own display and its variables.

The cluster is reached as docs/awx.md says: by what the built-in credential «OpenShift or Kubernetes API Bearer Token»
puts into the environment.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ansible_runner
import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import ROOT, Stage
from tests.e2e.traffic.stand import until

PLANTED = f"planted-{secrets.token_hex(8)}"
# As in docs/awx.md.
KUBE = {
    "host": "{{ lookup('ansible.builtin.env', 'K8S_AUTH_HOST') }}",
    "api_key": "{{ lookup('ansible.builtin.env', 'K8S_AUTH_API_KEY') }}",
    "ca_cert": "{{ lookup('ansible.builtin.env', 'K8S_AUTH_SSL_CA_CERT') }}",
}
V2 = {"app_version": "2.0.0", "migrate_target": "0002"}


class Job:
    """One job: its folder has what AWX would keep and show."""

    def __init__(self, stage: Stage, credential: dict[str, str], number: int) -> None:
        self.stage = stage
        self.credential = credential
        self.number = number
        self.folder = stage.folder / f"job-{number}"
        self.folder.mkdir()

    def run(self, playbook: str, cancel: Callable[[], bool] | None = None, **variables: Any) -> ansible_runner.Runner:
        """Run a playbook of the collection to its end, or until ``cancel`` says so."""
        environment = {
            **self.credential,
            "KUBECONFIG": "/nowhere",
            "AWX_HOST": "https://awx.example.org",
            "AWX_ISOLATED_DATA_DIR": str(self.folder),
            "JOB_ID": str(self.number),
            "GOLIVE_REPORT_DIR": str(self.folder / "reports"),
            "TERM": "xterm",
        }
        return ansible_runner.run(
            private_data_dir=str(self.folder),
            project_dir=str(ROOT),
            playbook=f"playbooks/{playbook}",
            inventory=str(self.stage.inventory()),
            envvars=environment,
            extravars={"awx_job_id": self.number, "awx_user_name": "anna", **variables},
            cancel_callback=cancel,
            settings={"pexpect_timeout": 1},
            quiet=True,
        )

    def shown(self) -> str:
        """All that it printed."""
        (found,) = self.folder.glob("artifacts/*/stdout")
        return found.read_text()

    def kept(self) -> Iterator[tuple[Path, str]]:
        """Every file of the job but those in which the runner notes what it was given."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.parent != self.folder / "env" and path.name != "command":
                yield path, path.read_text(errors="replace")

    def report(self) -> dict[str, Any]:
        """The report of its run."""
        (found,) = (self.folder / "reports").rglob("*.json")
        report: dict[str, Any] = json.loads(found.read_text())
        return report


def secret_values(namespace: str) -> dict[str, str]:
    """Every value of a Secret in the namespace that is one, by the Secret's name and the key."""
    found: dict[str, str] = {}
    for one in json.loads(kubectl("-n", namespace, "get", "secrets", "-o", "json"))["items"]:
        for key, value in (one.get("data") or {}).items():
            text = base64.b64decode(value).decode(errors="replace")
            if len(text) >= 12 and key != "username" and "BEGIN CERTIFICATE" not in text:
                found[f"{one['metadata']['name']}/{key}"] = text
    return found


@pytest.fixture(scope="module")
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """An app with a password of its own."""
    return make_stage(golive_kube=KUBE, app_secrets=[{"name": "outside", "data": {"OUTSIDE_PASSWORD": PLANTED}}])


@pytest.fixture(scope="module")
def credential(cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A service account that may do all, as the variables of AWX's credential."""
    name = f"golive-awx-{secrets.token_hex(3)}"
    kubectl("-n", "default", "create", "serviceaccount", name)
    try:
        kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", f"--serviceaccount=default:{name}")
        (shown,) = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))["clusters"]
        authority = tmp_path_factory.mktemp("awx") / "ca.crt"
        authority.write_bytes(base64.b64decode(shown["cluster"]["certificate-authority-data"]))
        yield {
            "K8S_AUTH_HOST": shown["cluster"]["server"],
            "K8S_AUTH_API_KEY": kubectl("-n", "default", "create", "token", name, "--duration=1h").strip(),
            "K8S_AUTH_SSL_CA_CERT": str(authority),
        }
    finally:
        kubectl("delete", "clusterrolebinding", name, "--ignore-not-found", check=False)
        kubectl("-n", "default", "delete", "serviceaccount", name, "--ignore-not-found", check=False)


def test_a_site_and_a_release_as_jobs(stage: Stage, credential: dict[str, str]) -> None:
    first, second = Job(stage, credential, 4711), Job(stage, credential, 4712)
    done = first.run("site.yml")
    assert (done.status, done.rc) == ("successful", 0), first.shown()
    done = second.run("release.yml", **V2)
    assert (done.status, done.rc) == ("successful", 0), second.shown()
    assert stage.get("/readyz")[1]["X-App-Version"] == "2.0.0"

    values = {**secret_values(stage.namespace), "the token": credential["K8S_AUTH_API_KEY"]}
    assert PLANTED in values.values()
    assert len(values) >= 4, sorted(values)
    for job in (first, second):
        for path, text in job.kept():
            told = [name for name, value in values.items() if value in text]
            assert not told, f"{path} holds {told}"

    # What a person reads: every phase by name, progress in lines of their own, the report at the end.
    text = second.shown()
    for phase in ("Migrate |", "Shift |", "Observe |", "Settle |"):
        assert phase in text, text
    assert "\x1b[K" not in text
    assert "report" in text.rsplit("PLAY RECAP", 1)[1]
    report = second.report()
    assert report["awx"]["job_id"] == "4712"
    assert report["awx"]["user"] == "anna"
    run = stage.runs()[0]
    assert (run["outcome"], run["by"]["user"], str(run["by"]["job"])) == ("success", "anna", "4712")


@pytest.mark.faults
@pytest.mark.series
@pytest.mark.parametrize("phase", ["Shift | move", "Observe |"])
def test_a_cancelled_job_is_gone_on_with(stage: Stage, credential: dict[str, str], phase: str) -> None:
    if stage.get("/readyz")[0] != 200:
        assert Job(stage, credential, 4719).run("site.yml", **V2).rc == 0
    version = "1.0.0" if stage.get("/readyz")[1]["X-App-Version"] == "2.0.0" else "2.0.0"
    wanted = {"app_version": version, "migrate_target": "0002"}
    job = Job(stage, credential, 4720 + len(phase))
    with stage.load(seconds=400) as ledger:
        done = job.run("release.yml", cancel=lambda: _appeared(job, phase), **wanted)
        assert done.status == "canceled", job.shown()
        until(lambda: not stage.still_working(), 60, "the end of the cancelled run's workers")
        again = Job(stage, credential, job.number + 100)
        done = again.run("release.yml", **wanted)
        assert (done.status, done.rc) == ("successful", 0), again.shown()
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    assert stage.get("/readyz")[1]["X-App-Version"] == version


def _appeared(job: Job, phase: str) -> bool:
    return any(phase in found.read_text(errors="replace") for found in job.folder.glob("artifacts/*/stdout"))
