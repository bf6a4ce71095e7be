# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs what, where, and with which versions."""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_COLLECTION = Path(__file__).resolve().parents[2]
_SECRET_NAME = re.compile(r"pass|secret|token|key|credential|auth", re.IGNORECASE)
_SHORTEST_SECRET = 4
# AWX hands these over as extra variables; the values are numbers and names that its own pages show.
_AWX = {"job_id": "job_id", "template": "job_template_name", "user": "user_name", "workflow_job_id": "workflow_job_id"}


def identity(arguments: Mapping[str, Any], extra: Mapping[str, Any], core_version: str) -> dict[str, Any]:
    """What is known when a run begins; of extra variables only the names.

    ``arguments`` are those of the command line, as ``ansible.context.CLIARGS`` has them.
    """
    return {
        "user": _user(),
        "controller": socket.gethostname(),
        "awx": _awx(extra),
        "inventory": [_short(one) for one in _texts(arguments.get("inventory"))],
        "limit": arguments.get("subset") or None,
        "tags": [tag for tag in _texts(arguments.get("tags")) if tag != "all"],
        "skip_tags": _texts(arguments.get("skip_tags")),
        "check_mode": bool(arguments.get("check")),
        "extra_vars": sorted(str(name) for name in extra if not str(name).startswith(("awx_", "tower_"))),
        "ansible_core": core_version,
        "collection": collection_version(),
        "python": platform.python_version(),
    }


def secrets_of(extra: Mapping[str, Any]) -> frozenset[str]:
    """Values of extra variables whose name sounds like a secret: a foreign module may repeat them in its message."""
    found: set[str] = set()
    for name, value in extra.items():
        if _SECRET_NAME.search(str(name)):
            found.update(_leaves(value))
    return frozenset(text for text in found if len(text) >= _SHORTEST_SECRET)


def collection_version() -> str:
    """From MANIFEST.json of an installed collection, or galaxy.yml of its sources; "unknown" without both."""
    try:
        manifest = json.loads((_COLLECTION / "MANIFEST.json").read_text(encoding="utf-8"))
        return str(manifest["collection_info"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        return str(yaml.safe_load((_COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return "unknown"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _awx(extra: Mapping[str, Any]) -> dict[str, str] | None:
    found = {
        key: str(extra[prefix + name])
        for prefix in ("tower_", "awx_")
        for key, name in _AWX.items()
        if extra.get(prefix + name)
    }
    return found or None


def _texts(value: Any) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _short(source: str) -> str:
    """The inventory's own name: the last two parts of a path; hosts given on the command line are only counted."""
    if "," in source:
        return f"{len([one for one in source.split(',') if one.strip()])} hosts from the command line"
    return "/".join(Path(source).parts[-2:])


def _leaves(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {text for one in value.values() for text in _leaves(one)}
    if isinstance(value, (list, tuple)):
        return {text for one in value for text in _leaves(one)}
    return {str(value)} if isinstance(value, (str, int)) and not isinstance(value, bool) else set()
