# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy, ansible-core and ansible-builder are told about the collection agrees with what is there."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.house.layout import PLUGINS, PREFIX, ROOT, names

MODULES = sorted(names("modules"))
FRAGMENTS = sorted(names("doc_fragments"))
SHARED_SPEC = re.compile(r"``(\w+)`` of\s+``module_utils/([\w/]+)\.py``")
BELONGS = {
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "extensions",
    "images",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def module(kind: str, name: str) -> Any:
    return importlib.import_module(f"{PREFIX}{kind}.{name}")


def fragments_of(name: str) -> set[str]:
    """Names of our own documentation fragments that a module extends."""
    listed = yaml.safe_load(module("modules", name).DOCUMENTATION).get("extends_documentation_fragment") or []
    listed = [listed] if isinstance(listed, str) else listed
    return {entry.removeprefix("golive.cutover.") for entry in listed if entry.startswith("golive.cutover.")}


def shared_spec(fragment: str) -> dict[str, Any]:
    """The argument spec that the fragment's docstring names."""
    text = module("doc_fragments", fragment).ModuleDocFragment.__doc__
    named = SHARED_SPEC.search(text or "")
    assert named, f"{fragment}: the docstring must name its pair as ``function`` of ``module_utils/<file>.py``"
    function, file = named.groups()
    spec: dict[str, Any] = getattr(module("module_utils", file.replace("/", ".")), function)()
    return spec


def shape(option: dict[str, Any], nested: str) -> dict[str, Any]:
    """What documentation and spec of an option must agree on; ``nested`` is the key of its suboptions."""
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "default": option.get("default"),
        "required": option.get("required", False),
        "choices": sorted(map(str, option.get("choices") or [])),
        "options": {name: shape(inner, nested) for name, inner in (option.get(nested) or {}).items()},
    }


def test_every_module_has_its_action_plugin() -> None:
    assert names("action") == names("modules")
    wrong = [name for name in MODULES if module("action", name).ActionModule.verb is not module("modules", name)]
    assert not wrong


def test_action_groups_name_every_module() -> None:
    groups = load("meta/runtime.yml")["action_groups"]
    assert groups["all"] == MODULES
    assert groups["kube"] == [name for name in MODULES if "kube" in fragments_of(name)]


def test_verbs_of_the_group_kube_keep_the_lease_of_their_run() -> None:
    # The journal's own verb takes and gives back the Lease.
    verbs = [name for name in MODULES if "kube" in fragments_of(name) and name != "release_journal"]
    assert not [name for name in verbs if "under_lease" not in inspect.getsource(module("modules", name).run)]


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragment_documents_its_spec(fragment: str) -> None:
    documented = yaml.safe_load(module("doc_fragments", fragment).ModuleDocFragment.DOCUMENTATION)["options"]
    spec = shared_spec(fragment)
    assert {name: shape(option, "suboptions") for name, option in documented.items()} == {
        name: shape(option, "options") for name, option in spec.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_module_extends_the_fragment_of_each_shared_spec(name: str) -> None:
    arguments = module("modules", name).SPEC["argument_spec"]
    shared = {fragment for fragment in FRAGMENTS if shared_spec(fragment).items() <= arguments.items()}
    assert fragments_of(name) == shared


@pytest.mark.parametrize("name", MODULES)
def test_module_declares_its_attributes(name: str) -> None:
    described = yaml.safe_load(module("modules", name).DOCUMENTATION)["attributes"]
    assert {"check_mode", "diff_mode", "idempotent"} <= set(described)


@pytest.mark.parametrize("path", sorted(PLUGINS.glob("[mcf]*/*.py")), ids=lambda path: path.stem)
def test_nothing_was_added_by_a_later_version(path: Path) -> None:
    version = tuple(map(int, load("galaxy.yml")["version"].split(".")))
    added = re.findall(r"^\s*version_added: [\"']?(\d+)\.(\d+)\.(\d+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert all(tuple(map(int, parts)) <= version for parts in added)


def test_every_plugin_file_carries_the_licence() -> None:
    head = (
        "# Copyright (c) 2026, Cutover contributors\n"
        "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)\n"
        "# SPDX-License-Identifier: GPL-3.0-or-later\n"
    )
    files = [path for path in PLUGINS.rglob("*.py") if path.stat().st_size]
    assert not [str(path) for path in files if head not in path.read_text(encoding="utf-8")[:400]]


def test_sanity_has_no_ignore_files() -> None:
    assert not list((ROOT / "tests" / "sanity").glob("ignore*"))


def test_execution_environment_brings_what_the_modules_import() -> None:
    def packages(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {re.split(r"[<>=]", line)[0] for line in lines if line and not line.startswith("#")}

    environment = load("meta/execution-environment.yml")
    assert environment["version"] == 1
    assert packages(environment["dependencies"]["python"]) == packages("requirements.txt")
    assert (ROOT / environment["dependencies"]["system"]).exists()


def test_galaxy_artefact_holds_only_what_belongs(tmp_path: Path) -> None:
    subprocess.run(
        ["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(tmp_path)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    galaxy = load("galaxy.yml")
    with tarfile.open(tmp_path / f"golive-cutover-{galaxy['version']}.tar.gz") as artefact:
        members = artefact.getnames()
    assert {name.partition("/")[0] for name in members} <= BELONGS
    assert {
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "meta/runtime.yml",
        *(f"plugins/modules/{m}.py" for m in MODULES),
    } <= set(members)
    assert not [name for name in members if "__pycache__" in name or "/fragments/" in name]
