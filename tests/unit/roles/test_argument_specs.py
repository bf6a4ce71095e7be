# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role declares and what it defaults to must be one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
_TYPES = {"bool": bool, "int": int, "dict": dict, "list": list, "str": str, "path": str, "float": (int, float)}


def _load(role: str, file: str) -> Any:
    path = ROOT / "roles" / role / file
    return yaml.safe_load(path.read_text()) or {}


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_has_a_spec_and_a_file(role: str) -> None:
    specs = _load(role, "meta/argument_specs.yml")["argument_specs"]
    for entry in specs:
        assert (ROOT / "roles" / role / "tasks" / f"{entry}.yml").exists(), entry


@pytest.mark.parametrize("role", ROLES)
def test_keys_types_and_defaults_agree(role: str) -> None:
    defaults = _load(role, "defaults/main.yml")
    for entry, spec in _load(role, "meta/argument_specs.yml")["argument_specs"].items():
        options = spec.get("options", {})
        declared = {name: option["default"] for name, option in options.items() if "default" in option}
        assert declared == defaults, f"{role}:{entry}"
        for name, value in defaults.items():
            if not (isinstance(value, str) and "{{" in value):
                assert isinstance(value, _TYPES[options[name]["type"]]), f"{role}:{entry}:{name}"
            if options[name].get("choices") and "{{" not in str(value):
                assert value in options[name]["choices"], f"{role}:{entry}:{name}"


@pytest.mark.parametrize("role", ROLES)
def test_public_variables_carry_the_roles_name(role: str) -> None:
    allowed = ("golive_", "preflight_") if role == "preflight" else (f"{role}_",)
    assert all(name.startswith(allowed) for name in _load(role, "defaults/main.yml"))
    private = ROOT / "roles" / role / "vars" / "main.yml"
    if private.exists():
        readme = (ROOT / "roles" / role / "README.md").read_text()
        for name in yaml.safe_load(private.read_text()):
            assert name.startswith(f"__{role}_") or f"`{name}`" in readme, name


@pytest.mark.parametrize("role", ROLES)
def test_the_readme_names_every_variable(role: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text()
    for name in _load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]:
        assert f"`{name}`" in readme, name
