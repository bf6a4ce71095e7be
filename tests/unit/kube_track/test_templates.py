# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in pod templates do not reach a diff."""

from __future__ import annotations

import json

from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_template import shown_templates


def template(password: str, level: str = "info") -> dict[str, object]:
    env = [{"name": "PASSWORD", "value": password}, {"name": "LEVEL", "value": level}, {"name": "KEY", "valueFrom": {}}]
    args = [f"--db=postgres://shop:{password}@db/shop", f"--api-token={password}", "--verbose"]
    return {"spec": {"containers": [{"name": "app", "image": "example.org/app:1", "env": env, "args": args}]}}


def test_values_are_masked_and_changes_marked() -> None:
    before, after = shown_templates(template("hunter2secret"), template("swordfish9"))
    text = json.dumps([before, after])
    assert "hunter2secret" not in text
    assert "swordfish9" not in text
    old, new = (side["spec"]["containers"][0] for side in (before, after))
    assert [row.get("value") for row in old["env"]] == ["******** (old)", "********", None]
    assert [row.get("value") for row in new["env"]] == ["******** (new)", "********", None]
    assert old["args"] == ["--db=postgres://shop:********@db/shop", "--api-token=********", "--verbose"]


def test_nothing_before() -> None:
    before, after = shown_templates(None, template("hunter2secret"))
    assert before is None
    assert after["spec"]["containers"][0]["env"][0] == {"name": "PASSWORD", "value": "********"}
