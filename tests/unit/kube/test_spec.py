# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared options and their documentation are one."""

from __future__ import annotations

import yaml

from ansible_collections.golive.cutover.plugins.doc_fragments.kube import ModuleDocFragment
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.modules import kube_apply


def test_fragment_documents_the_spec() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    shape = {name: {key: row[key] for key in ("type", "default") if key in row} for name, row in documented.items()}
    spec = {name: {key: row[key] for key in ("type", "default") if key in row} for name, row in kube_spec().items()}
    assert shape == spec


def test_each_call_gets_a_spec_of_its_own() -> None:
    kube_spec()["host"]["type"] = "int"
    assert kube_spec()["host"]["type"] == "str"


def test_kube_apply_documents_its_options() -> None:
    documented = yaml.safe_load(kube_apply.DOCUMENTATION)["options"]
    spec = {name: row for name, row in kube_apply.SPEC["argument_spec"].items() if name not in kube_spec()}
    assert documented.keys() == spec.keys()
    for name, row in spec.items():
        for key in ("type", "elements", "default", "choices"):
            assert documented[name].get(key) == row.get(key), (name, key)
