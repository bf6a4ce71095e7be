# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the server could find anything wrong with a ConfigMap or Secret."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._kube.plain_data import is_plain_data

MAP: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a.b-c", "namespace": "x"}}
SECRET: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}


@pytest.mark.parametrize(
    "obj",
    [
        MAP,
        {**MAP, "data": {"a.yml": "x: y", "_B": ""}, "binaryData": {"c": "eA=="}, "immutable": True},
        {**MAP, "metadata": {"name": "a", "labels": {"a.b/c": "D_e.f", "x": ""}, "annotations": {"a/B": "any {text}"}}},
        {**SECRET, "data": {"key": "eA=="}, "type": "Opaque"},
    ],
)
def test_plain(obj: dict[str, Any]) -> None:
    assert is_plain_data(obj)


@pytest.mark.parametrize(
    "obj",
    [
        {**MAP, "datta": {}},
        {**MAP, "data": None},
        {**MAP, "data": ["a"]},
        {**MAP, "data": {"a": 1}},
        {**MAP, "data": {"a b": "x"}},
        {**MAP, "data": {"..a": "x"}},
        {**MAP, "data": {"x" * 254: "x"}},
        {**MAP, "data": {"a": "x"}, "binaryData": {"a": "eA=="}},
        {**MAP, "binaryData": {"a": "%"}},
        {**MAP, "data": {"a": "x" * 2**20}},
        {**MAP, "immutable": "yes"},
        {**MAP, "metadata": {"name": "A"}},
        {**MAP, "metadata": {"name": "a..b"}},
        {**MAP, "metadata": {"name": "a" * 254}},
        {**MAP, "metadata": {"name": "a", "labels": {"x": "a b"}}},
        {**MAP, "metadata": {"name": "a", "labels": {"/x": "a"}}},
        {**MAP, "metadata": {"name": "a", "labels": None}},
        {**MAP, "metadata": {"name": "a", "finalizers": ["x"]}},
        {**SECRET, "type": "kubernetes.io/tls", "data": {}},
        {**SECRET, "data": {"a": "not base64"}},
        {**MAP, "apiVersion": "example.org/v1"},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}},
    ],
)
def test_anything_else_is_for_the_server_to_judge(obj: dict[str, Any]) -> None:
    assert not is_plain_data(obj)
