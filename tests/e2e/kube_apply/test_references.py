# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed Secret gives its readers a new pod template; an unchanged one does not."""

from __future__ import annotations

from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import apply, config_map, deployment, live

MARK = "golive.cutover/references"


def _set_token(namespace: str, value: str) -> None:
    rendered = kubectl(
        *("-n", namespace, "create", "secret", "generic", "token", f"--from-literal=a={value}"),
        *("--dry-run=client", "-o", "yaml"),
    )
    kubectl("-n", namespace, "apply", "-f", "-", stdin=rendered)


def test_readers_follow_a_changed_secret(namespace: str) -> None:
    reader = deployment("reader")
    reader["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [
        {"secretRef": {"name": "token"}},
        {"configMapRef": {"name": "own"}},
    ]
    wanted = {"objects": [config_map("own"), reader], "namespace": namespace, "mark_references": True}
    marks = []
    for value in (None, "one", "two"):
        if value:
            _set_token(namespace, value)
        assert apply(check=True, **wanted)["changed"]
        assert apply(**wanted)["changed"]
        assert not apply(check=True, **wanted)["changed"]
        assert not apply(**wanted)["changed"]
        marks.append(live(namespace, "deployment", "reader")["spec"]["template"]["metadata"]["annotations"][MARK])
    assert len(set(marks)) == 3
    wanted["objects"][0]["data"] = {"a": "other"}
    apply(**wanted)
    found = live(namespace, "deployment", "reader")["spec"]["template"]["metadata"]["annotations"][MARK]
    assert found == marks[-1], "an object of the set itself is named by its content, it does not count"


def test_what_a_program_reads_anew_replaces_no_pod(namespace: str) -> None:
    reader = deployment("reader")
    template = reader["spec"]["template"]
    template["metadata"]["annotations"] = {"golive.cutover/reread": "other,token"}
    template["spec"]["volumes"] = [{"name": "token", "secret": {"secretName": "token", "optional": True}}]
    wanted = {"objects": [reader], "namespace": namespace, "mark_references": True}
    assert apply(**wanted)["changed"]
    for value in ("one", "two"):
        _set_token(namespace, value)
        assert not apply(check=True, **wanted)["changed"]
    assert MARK not in live(namespace, "deployment", "reader")["spec"]["template"]["metadata"]["annotations"]
    template["metadata"]["annotations"] = {}
    assert apply(**wanted)["changed"]
