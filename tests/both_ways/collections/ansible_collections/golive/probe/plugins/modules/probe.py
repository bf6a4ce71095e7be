# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verb that shows what it got and does what it is told: the subject of the runner's tests."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish

DOCUMENTATION = r"""
module: probe
short_description: Show what a verb got
description: Used by tests only.
options: {}
author: Cutover contributors
"""

SPEC: dict[str, Any] = {
    "argument_spec": {
        "act": {
            "type": "str",
            "default": "echo",
            "choices": [
                "echo",
                "write",
                "remove",
                "work",
                "fail",
                "crash",
                "object",
                "lists",
                "warn",
                "diff",
                "report",
            ],
        },
        "name": {
            "type": "str",
            "aliases": ["title", "label"],
            "deprecated_aliases": [
                {"name": "label", "version": "9.0.0", "collection_name": "golive.probe"},
            ],
        },
        "count": {"type": "int"},
        "ratio": {"type": "float"},
        "flag": {"type": "bool"},
        "size": {"type": "str", "choices": ["small", "large"]},
        "numbers": {"type": "list", "elements": "int"},
        "settings": {
            "type": "dict",
            "options": {
                "port": {"type": "int", "required": True},
                "mode": {"type": "str", "choices": ["ro", "rw"], "default": "ro"},
                "password": {"type": "str", "no_log": True},
            },
        },
        "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["PROBE_TOKEN"])},
        "place": {"type": "path"},
        "other": {"type": "str"},
        "free": {"type": "raw"},
        "seconds": {"type": "float", "default": 0},
        "old": {"type": "str", "removed_in_version": "9.0.0", "removed_from_collection": "golive.probe"},
    },
    "mutually_exclusive": [("place", "other")],
    "required_if": [("act", "write", ["place"])],
    "supports_check_mode": True,
}


def run(call: Call) -> dict[str, Any]:
    """Do what ``act`` says; ``echo`` returns the parameters, their types, the directory and the environment."""
    return ACTS[call.params["act"]](call)


def _echo(call: Call) -> dict[str, Any]:
    return {
        "params": call.params,
        "types": _types(call.params),
        "yaml": yaml.safe_dump(call.params),
        "check_mode": call.check_mode,
        "diff_mode": call.diff_mode,
        "secrets": len(call.secrets),
        "directory": os.getcwd(),
        "environment": {key: value for key, value in os.environ.items() if key.startswith("PROBE_")},
        "yes": True,
        "nothing": None,
    }


def _write(call: Call) -> dict[str, Any]:
    place, text = Path(call.params["place"]), f"{call.params['name']}\n"
    before = place.read_text() if place.exists() else ""
    if before != text and not call.check_mode:
        place.write_text(text)
    return {"changed": before != text, "diff": [diff_of(str(place), before, text)]}


def _remove(call: Call) -> dict[str, Any]:
    place = Path(call.params["place"])
    there = place.exists()
    if there and not call.check_mode:
        place.unlink()
    return {"changed": there}


def _work(call: Call) -> dict[str, Any]:
    """Leave a tick in a file every 0.1 s, and a last word when it ends for whatever reason."""
    log = Path(call.params["place"])
    end = call.now() + call.params["seconds"]
    try:
        while call.now() < end:
            with log.open("a") as file:
                file.write(f"tick {time.time()}\n")
            call.progress(f"{end - call.now():.0f} s left, token {call.params['token']}")
            call.pause(0.1)
    finally:
        with log.open("a") as file:
            file.write("cleaned up\n")
    return {"changed": True}


def _report(call: Call) -> dict[str, Any]:
    """Report progress far more often than it may be shown."""
    end = call.now() + call.params["seconds"]
    step = 0
    while call.now() < end:
        step += 1
        call.progress(f"working with {call.params['token']}", step, 1000)
        call.pause(0.02)
    call.progress("last word")
    return {}


def _fail(call: Call) -> dict[str, Any]:
    raise GoliveError(
        "refused",
        f"Probing {call.params['name']} with {call.params['token']} failed: no.",
        "say please",
        {"object": call.params["name"], "seen": [call.params["token"]], "attempts": 3},
    )


def _crash(call: Call) -> dict[str, Any]:
    raise KeyError(f"no {call.params['token']}")


def _object(call: Call) -> dict[str, Any]:
    return {"when": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)}


def _lists(call: Call) -> dict[str, Any]:
    return {"pair": (1, 2), "ports": {80: "http"}, "text": "\u00fc\u2192\U0001f680"}


def _warn(call: Call) -> dict[str, Any]:
    for _time in range(2):
        call.warn(f"{call.params['name']} is odd, token {call.params['token']}")
    return {}


def _diff(call: Call) -> dict[str, Any]:
    before, after = {"a": 1, "token": "none"}, {"a": 2, "token": call.params["token"]}
    return {"changed": True, "diff": [diff_of("thing", before, after)]}


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_types(item) for item in value]
    return f"{type(value).__module__}.{type(value).__name__}"


ACTS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "echo": _echo,
    "write": _write,
    "remove": _remove,
    "work": _work,
    "report": _report,
    "fail": _fail,
    "crash": _crash,
    "object": _object,
    "lists": _lists,
    "warn": _warn,
    "diff": _diff,
}


def main() -> None:
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
