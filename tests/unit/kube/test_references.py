# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Secrets and ConfigMaps a pod template reads, and what marks their content."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._kube.references import digest, references_of


def test_every_way_to_read_one_is_found() -> None:
    template = {
        "spec": {
            "initContainers": [{"envFrom": [{"secretRef": {"name": "init"}}]}],
            "containers": [
                {
                    "envFrom": [{"configMapRef": {"name": "settings"}}],
                    "env": [
                        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "token", "key": "a"}}},
                        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "flags", "key": "b"}}},
                        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                        {"name": "D", "value": "plain"},
                    ],
                }
            ],
            "volumes": [
                {"name": "v1", "secret": {"secretName": "files"}},
                {"name": "v2", "configMap": {"name": "pages"}},
                {
                    "name": "v3",
                    "projected": {"sources": [{"secret": {"name": "mixed"}}, {"configMap": {"name": "in"}}]},
                },
                {"name": "v4", "emptyDir": {}},
            ],
        }
    }
    assert references_of(template) == [
        ("ConfigMap", "flags"),
        ("ConfigMap", "in"),
        ("ConfigMap", "pages"),
        ("ConfigMap", "settings"),
        ("Secret", "files"),
        ("Secret", "init"),
        ("Secret", "mixed"),
        ("Secret", "token"),
    ]
    assert references_of({}) == []


def test_the_mark_follows_the_content_and_not_the_labels() -> None:
    secret = {"metadata": {"uid": "1", "labels": {}}, "data": {"a": "MQ=="}}
    relabelled = {**secret, "metadata": {"uid": "1", "labels": {"x": "y"}}}
    changed = {**secret, "data": {"a": "Mg=="}}
    another = {**secret, "metadata": {"uid": "2"}}
    assert digest(secret) == digest(relabelled)
    assert len({digest(None), digest(secret), digest(changed), digest(another)}) == 4
