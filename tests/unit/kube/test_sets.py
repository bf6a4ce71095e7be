# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From lists, files and text to objects, with every fault named."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_faults import raise_faults
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import SET_LABEL, gather

MAP: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


def _gather(**params: Any) -> tuple[list[dict[str, Any]], list[GoliveError]]:
    faults: list[GoliveError] = []
    return [row.obj for row in gather(params, faults)], faults


def test_three_sources_in_order(tmp_path: Path) -> None:
    file = tmp_path / "two.yml"
    file.write_text("---\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\n# nothing\n")
    content = (
        '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "X", "metadata": {"name": "c"}}]}'
    )
    found, faults = _gather(objects=[MAP], files=[str(file)], content=content)
    assert [row["metadata"]["name"] for row in found] == ["a", "b", "c"]
    assert faults == []


def test_every_fault_is_named_with_its_place() -> None:
    content = (
        "- a\n---\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {pin: 1234}\n"
    )
    found, faults = _gather(objects=["x", MAP], content=content)
    assert [row["metadata"]["name"] for row in found] == ["a"]
    texts = [fault.message for fault in faults]
    assert "objects[1]" in texts[0]
    assert "content document 1" in texts[1]
    assert "apiVersion, metadata.name" in texts[2]
    assert "stringData.pin" in texts[3]
    assert "1234" not in texts[3]


def test_an_object_without_a_name_of_its_own_is_refused() -> None:
    _found, faults = _gather(objects=[{**MAP, "metadata": {"name": "a", "generateName": "a-"}}])
    assert "generateName" in faults[0].message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [", "line"),
        ("a: 1\na: 2\n", "the key 'a' is written twice"),
        ("password: *hunter2", "undefined alias"),
        ("a: !vault x", "constructor"),
    ],
)
def test_yaml_that_is_none(content: str, words: str) -> None:
    _found, faults = _gather(content=content)
    assert faults[0].code == "yaml_invalid"
    assert words in faults[0].message
    assert "hunter2" not in faults[0].message


def test_keys_that_yaml_takes_for_something_else() -> None:
    content = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {80: a, no: b, 'yes': c}\n"
    _found, faults = _gather(content=content)
    assert "80, False" in faults[0].message


def test_merge_keys_and_dates() -> None:
    content = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {<<: {b: c}, day: 2026-01-01}\n"
    found, faults = _gather(content=content)
    assert faults == []
    assert found[0]["data"] == {"b": "c", "day": "2026-01-01"}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    _found, faults = _gather(files=[str(tmp_path / "none.yml")], objects=[MAP])
    assert [fault.code for fault in faults] == ["file_unreadable"]


def test_the_set_label_is_added_beside_others_and_the_input_stays() -> None:
    given = {**MAP, "metadata": {"name": "a", "labels": {"x": "y"}, "resourceVersion": "7"}}
    found, _faults = _gather(objects=[given], set="shop")
    assert found[0]["metadata"] == {"name": "a", "labels": {"x": "y", SET_LABEL: "shop"}}
    assert given["metadata"]["labels"] == {"x": "y"}


@pytest.mark.parametrize("name", ["a b", "-a", "x" * 64, "ä"])
def test_a_set_name_must_be_a_label_value(name: str) -> None:
    _found, faults = _gather(objects=[MAP], set=name)
    assert faults[0].code == "set_invalid"


def test_string_data_becomes_data() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"a": "ü"},
        "data": {"b": "eA=="},
    }
    found, _faults = _gather(objects=[secret])
    assert "stringData" not in found[0]
    assert found[0]["data"] == {"a": base64.b64encode("ü".encode()).decode(), "b": "eA=="}


def test_one_fault_keeps_its_code_and_several_are_numbered() -> None:
    one, two = GoliveError("a", "first", "do a"), GoliveError("b", "second", "do b")
    raise_faults([])
    with pytest.raises(GoliveError) as failure:
        raise_faults([one, one], {"changed": False})
    assert (failure.value.code, failure.value.hint) == ("a", "do a")
    assert failure.value.details["changed"] is False
    with pytest.raises(GoliveError) as failure:
        raise_faults([one, two])
    assert failure.value.code == "many_faults"
    assert "1. first" in failure.value.message
    assert "2. second" in failure.value.message
    assert [row["code"] for row in failure.value.details["faults"]] == ["a", "b"]


def test_a_flood_of_faults_is_cut() -> None:
    with pytest.raises(GoliveError) as failure:
        raise_faults(GoliveError("a", f"fault {number}") for number in range(100))
    assert failure.value.code == "a"
    assert "and 80 more" in failure.value.message
    assert len(failure.value.details["faults"]) == 100
