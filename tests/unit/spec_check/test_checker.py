# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checker finds each fault of a bad file, at its line, and nothing in a good one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.spec_check.rules import Collection, findings
from tests.unit.spec_check.sources import verb_calls

SPECS: dict[str, Any] = {
    "kube_shape": {
        "argument_spec": {
            "name": {"type": "str", "required": True, "aliases": ["title"]},
            "count": {"type": "int"},
            "kind": {"type": "str", "choices": ["round", "square"]},
            "flag": {"type": "bool", "default": False},
            "limits": {
                "type": "dict",
                "options": {"cpu": {"type": "str", "required": True}, "memory": {"type": "int"}},
            },
            "ports": {"type": "list", "elements": "dict", "options": {"port": {"type": "int", "required": True}}},
            "sizes": {"type": "list", "elements": "int"},
            "source": {"type": "path"},
            "text": {"type": "str"},
        },
        "mutually_exclusive": [("source", "text")],
        "required_if": [("kind", "square", ["sizes"])],
    },
    "kube_other": {"argument_spec": {"name": {"type": "str"}}},
}
KNOWN = Collection(SPECS, {"all": ["kube_shape", "kube_other"], "few": ["kube_other"]})

BAD = """\
- hosts: all
  module_defaults:
    group/golive.cutover.all:
      count: 3
    golive.cutover.kube_shape:
      cuont: 3
    group/golive.cutover.many:
      name: x
  tasks:
    - golive.cutover.kube_shape:
        nmae: x
    - name: Nested faults
      block:
        - golive.cutover.kube_shape:
            name: x
            count: many
            kind: triangle
            limits:
              memory: 1
              cpus: 2
            ports:
              - port: x
              - prot: 1
      rescue:
        - golive.cutover.kube_shape:
            name: x
            text: 1.10
            source: y
            sizes: [1, two]
    - golive.cutover.kube_shpae:
        name: x
    - golive.cutover.kube_shape: name=x
    - golive.cutover.kube_shape:
        name: x
        kind: square
    - action:
        module: golive.cutover.kube_shape
        title: x
        flg: true
    - local_action: golive.cutover.kube_shape name=x
"""

EXPECTED = [
    "4: kube_other: unknown option count",
    "6: kube_shape: unknown option cuont; did you mean count?",
    "7: there is no action group many",
    "11: kube_shape: unknown option nmae; did you mean name?",
    "10: kube_shape: required option name is missing",
    "16: kube_shape: option count must be of type int, not str 'many'",
    "17: kube_shape: option kind must be one of round, square, not 'triangle'",
    "20: kube_shape: unknown option limits.cpus; did you mean cpu?",
    "18: kube_shape: required option limits.cpu is missing",
    "22: kube_shape: option ports[0].port must be of type int, not str 'x'",
    "23: kube_shape: unknown option ports[1].prot; did you mean port?",
    "21: kube_shape: required option ports[1].port is missing",
    "27: kube_shape: option text must be of type str, not float 1.1: put the text into quotes",
    "29: kube_shape: option sizes[1] must be of type int, not str 'two'",
    "25: kube_shape: parameters are mutually exclusive: source|text",
    "30: there is no verb kube_shpae; did you mean kube_shape?",
    "32: kube_shape: write the options as a mapping",
    "33: kube_shape: kind is square but all of the following are missing: sizes",
    "39: kube_shape: unknown option flg; did you mean flag?",
    "40: kube_shape: write the options as a mapping",
]

GOOD = """\
- name: Good
  golive.cutover.kube_shape:
    title: "{{ name }}"
    count: "{{ count }}"
    kind: "{{ kind }}"
    flag: true
    limits: "{{ limits }}"
    ports:
      - port: "{{ port }}"
      - "{{ another }}"
    source: "{{ file | default(omit) }}"
    text: x
- name: The rest comes from defaults
  module_defaults:
    golive.cutover.kube_shape:
      name: x
  golive.cutover.kube_shape:
- name: A secret
  golive.cutover.kube_shape:
    name: !vault |
      $ANSIBLE_VAULT;1.1;AES256
    count: "3"
- name: Options in args
  golive.cutover.kube_shape:
  args:
    name: x
- name: Everything from a template
  golive.cutover.kube_shape: "{{ all_of_it }}"
- name: Not ours
  ansible.builtin.debug:
    nmae: x
"""


def _found(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "main.yml"
    file.write_text(text)
    lines = [line for call in verb_calls(file) for line in findings(call, KNOWN)]
    return [line.removeprefix(f"{file}:") for line in lines]


def test_bad_file(tmp_path: Path) -> None:
    found = _found(tmp_path, BAD)
    unexpected = [line for line in found if not any(line.startswith(start) for start in EXPECTED)]
    assert [start for start in EXPECTED if not any(line.startswith(start) for line in found)] == [], found
    assert unexpected == []


def test_good_file(tmp_path: Path) -> None:
    assert _found(tmp_path, GOOD) == []


def test_a_file_without_tasks(tmp_path: Path) -> None:
    assert _found(tmp_path, "key: value\n") == []
    assert _found(tmp_path, "") == []
