# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real cluster for the tests of this tier, known only by its contract (tests/cluster)."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests" / "cluster" / "cluster"
_LONGEST = ["test_kill_series", "test_strategies", "test_release", "test_scenarios", "test_samples"]
# They mostly wait for pods, or for one answer. What the others judge depends on how busy the machine is.
_SIDE_BY_SIDE = (
    "backup",
    "bench",
    "both_ways",
    "flow",
    "gateway",
    "incident",
    "kube_apply",
    "kube_job",
    "kube_rollback",
    "kube_track",
    "migrate",
    "molecule",
    "monitoring",
    "notify",
    "postgres",
    "release_journal",
    "test_cluster_kinds",
    "test_refusals",
    "tls_secret",
)
_EXPORT = re.compile(r"^export ([A-Z_]+)=(.*)$", re.MULTILINE)


def cluster_env() -> dict[str, str]:
    """The cluster's contract as variables; raises CalledProcessError when no cluster is up."""
    text = subprocess.run([CLUSTER, "env"], check=True, capture_output=True, text=True).stdout
    return {name: value.strip("'\"") for name, value in _EXPORT.findall(text)}


@pytest.fixture(scope="session", autouse=True)
def cluster() -> dict[str, str]:
    """The contract's variables, also set in the environment of every process the tests start."""
    env = cluster_env()
    os.environ.update(env)
    os.environ.pop("ANSIBLE_CONFIG", None)
    return env


@pytest.fixture(scope="session")
def programs() -> dict[str, str]:
    """Paths of the test programs, built when missing."""
    built = subprocess.run(
        [ROOT / "tests/images/build", "load", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, str] = json.loads(Path(built.stdout.strip()).read_text())["programs"]
    return found


def kubectl(*arguments: str, stdin: str | None = None, check: bool = True) -> str:
    """The cluster's own client, an independent witness of what our verbs did; returns its output."""
    done = subprocess.run(
        ["kubectl", *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=120
    )
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@pytest.fixture
def namespace(cluster: dict[str, str]) -> Iterator[str]:
    """A namespace of this test's own, deleted behind it without waiting."""
    name = f"golive-test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false", check=False)


# Around the hooks of pytest, which chooses by marks, and of xdist, which reads the groups before any other plugin.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """The longest files begin first, so that side by side none of them is left for the end."""
    items.sort(key=lambda item: _LONGEST.index(item.path.stem) if item.path.stem in _LONGEST else len(_LONGEST))
    for number, item in enumerate(items):
        if not {item.path.parent.name, item.path.stem} & set(_SIDE_BY_SIDE):
            item.add_marker(pytest.mark.alone)
        # A file stays with one worker, but for the one that would take longer than all others together.
        part = f" {number % 3}" if item.path.stem == "test_kill_series" else ""
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}{part}"))
    yield
