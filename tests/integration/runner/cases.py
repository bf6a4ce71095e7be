# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of a task that must come out equal both ways."""

from __future__ import annotations

from typing import Any

PROBE = "golive.probe.probe"
SECRET = "hunter2-äöü"
NESTED_SECRET = "correct-horse"


def probe(act: str | None = None, /, **options: Any) -> dict[str, Any]:
    """The task part that calls the probe."""
    return {PROBE: options if act is None else {"act": act, **options}}


ARGUMENTS: dict[str, Any] = {
    "types are converted": probe(
        name=5,
        count="7",
        ratio="0.5",
        flag="yes",
        numbers="1,2",
        settings={"port": "80"},
        free={"a": [1, None, {"b": 1.5}], "c": True},
    ),
    "values from templates": {
        **probe(name="{{ who }}", count="{{ many }}", free="{{ all_of_it }}", numbers="{{ many_numbers }}"),
        "vars": {
            "who": "x-{{ many }}",
            "many": 3,
            "many_numbers": [1, 2],
            "all_of_it": {"deep": ["{{ who }}", "{{ many }}"]},
        },
    },
    "unicode": probe(name="ü→🚀", free=["ß", {"é": "ñ"}]),
    "jinja result with braces": probe(name="{{ '{{' }} not a template {{ '}}' }}"),
    "multi-line text": probe(name="one\ntwo\n"),
    "defaults by group": {**probe(count=1), "module_defaults": {"group/golive.probe.all": {"size": "large"}}},
    "defaults by name": {**probe(count=1), "module_defaults": {PROBE: {"size": "small", "name": "from defaults"}}},
    "default and alias": {**probe(title="mine"), "module_defaults": {PROBE: {"name": "from defaults"}}},
    "omit": {**probe(name="{{ missing | default(omit) }}", size="small")},
    "alias": probe(title="x"),
    "deprecated alias": probe(label="x"),
    "option and alias": probe(name="x", title="y"),
    "deprecated option": probe(old="x"),
    "no arguments": {PROBE: None},
    "home in a path": {**probe(place="~/x/$PROBE_PLACE"), "environment": {"PROBE_PLACE": "there"}},
    "wrong type": probe(count="many"),
    "wrong type of a list": probe(numbers=[1, "two"]),
    "wrong type of a secret": probe(settings=["x"], token=SECRET),
    "wrong choice": probe(size="medium"),
    "wrong choice inside": probe(settings={"port": 1, "mode": SECRET, "password": SECRET}),
    "unknown option": probe(nmae="x"),
    "unknown option inside": probe(settings={"port": 1, "prot": 2}),
    "missing option inside": probe(settings={"mode": "rw"}),
    "exclusive options": probe(place="x", other="y"),
    "missing for this choice": probe("write"),
    "two faults": probe(count="many", size="medium", nmae=1),
    "undefined variable": probe(name="{{ nowhere }}"),
}

SURROUNDINGS: dict[str, Any] = {
    "token from the environment": {**probe(name="x"), "environment": {"PROBE_TOKEN": SECRET}},
    "token from the environment of each item": {
        **probe(name="{{ item }}"),
        "environment": {"PROBE_TOKEN": "{{ item }}"},
        "loop": ["first-secret", "second-secret"],
        "loop_control": {"label": "one"},
    },
    "nothing left of it": probe(name="x"),
    "numbers and booleans in the environment": {
        **probe(),
        "environment": {"PROBE_NUMBER": 5, "PROBE_BOOL": True, "PROBE_TEMPLATE": "{{ 1 + 1 }}"},
    },
    "relative path": [
        {"name": "relative path", **probe("write", place="relative.txt", name="x")},
        {"name": "relative path", **probe("remove", place="relative.txt")},
    ],
}

RESULTS: dict[str, Any] = {
    "lists and keys": probe("lists"),
    "not JSON": probe("object"),
    "a failure with a hint": probe("fail", name="x"),
    "an unexpected error": probe("crash"),
    "register": [
        {"name": "register", **probe("echo", name="x", settings={"port": 1}), "register": "seen"},
        {"name": "register", "ansible.builtin.debug": {"msg": "{{ seen.params.settings.port + 1 }} {{ seen.yes }}"}},
    ],
    "failed_when": {**probe(name="x"), "failed_when": "seen.params.name == 'x'", "register": "seen"},
    "changed_when": {**probe(name="x"), "changed_when": True},
    "loop with a failure": {
        **probe("{{ item }}", name="x"),
        "loop": ["echo", "fail", "lists"],
    },
    "until": {
        **probe("fail", name="x"),
        "register": "seen",
        "until": "seen is not failed",
        "retries": 2,
        "delay": 0,
    },
    "skipped": {**probe(name="x"), "when": False},
    "delegate_to": {**probe(name="{{ inventory_hostname }}"), "delegate_to": "localhost"},
    "throttle": {**probe(name="x"), "throttle": 1},
    "timeout": {**probe("work", place="work.log", seconds=2.5), "timeout": 1},
}

MASKING: dict[str, Any] = {
    "secret in the result": probe("echo", name=f"x{SECRET}x", token=SECRET, free={"k": [SECRET]}),
    "secret inside a dict": probe("echo", name=NESTED_SECRET, settings={"port": 1, "password": NESTED_SECRET}),
    "secret in the failure": probe("fail", name="x", token=SECRET),
    "secret in the traceback": probe("crash", token=SECRET),
    "secret in a warning": probe("warn", name="x", token=SECRET),
    "secret in the diff": {**probe("diff", token=SECRET), "diff": True},
    "secret in a wrong option": probe(token=SECRET, size=SECRET),
    "secret like a boolean": probe("echo", token="True"),
    "no_log and success": {**probe("echo", name=SECRET), "no_log": True},
    "no_log and failure": {**probe("fail", name=SECRET), "no_log": True},
    "no_log and an unexpected error": {**probe("crash", token=SECRET), "no_log": True},
    "no_log and a warning": {**probe("warn", name=SECRET), "no_log": True},
    "no_log and a wrong option": {**probe(size=SECRET), "no_log": True},
    "no_log and a registered failure": [
        {
            "name": "no_log and a registered failure",
            **probe("fail", name="x"),
            "no_log": True,
            "register": "seen",
            "failed_when": False,
        },
        {
            "name": "no_log and a registered failure",
            "ansible.builtin.debug": {"msg": "{{ seen.code }}: {{ seen.msg }}"},
        },
    ],
}

CHECKING: dict[str, Any] = {
    "write, look, write again": [
        {"name": "write, look, write again", **probe("write", place="f", name="a"), "check_mode": True, "diff": True},
        {"name": "write, look, write again", **probe("write", place="f", name="a"), "diff": True},
        {"name": "write, look, write again", **probe("write", place="f", name="a"), "check_mode": True, "diff": True},
        {"name": "write, look, write again", **probe("write", place="f", name="a"), "diff": True},
        {"name": "write, look, write again", **probe("remove", place="f"), "check_mode": True},
        {"name": "write, look, write again", **probe("remove", place="f")},
        {"name": "write, look, write again", **probe("remove", place="f")},
    ],
    "without check mode": {"golive.probe.unchecked": {}, "check_mode": True},
    "without check mode, for real": {"golive.probe.unchecked": {}},
    "check mode is seen": {**probe(name="x"), "check_mode": True, "diff": True},
}

CASES: dict[str, Any] = {**ARGUMENTS, **SURROUNDINGS, **RESULTS, **MASKING, **CHECKING}
