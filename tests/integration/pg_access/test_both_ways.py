# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb in ``ansible-playbook``, in process and as a module: same results, and no password in what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.integration.pg_access.conftest import Place
from tests.integration.postgres import PASSWORD


def test_both_ways_say_the_same(place: Place, tmp_path: Path) -> None:
    def task(*logins: dict[str, Any], **keywords: Any) -> dict[str, Any]:
        reach = {key: value for key, value in place.params().items() if key in ("database", "postgresql")}
        return {"golive.cutover.pg_access": {**reach, "logins": list(logins)}, "diff": True, **keywords}

    a = {"name": f"{place.name}_a", "of": "app", "password": place.password("a")}
    b = {"name": f"{place.name}_b", "of": "reader", "password": place.password("b")}
    cases = {
        "planned from nothing": task(a, b, check_mode=True),
        "there": task(a),
        "one more": task(a, b, check_mode=True),
        "refused": task({**a, "settings": {"nosuch": 1}}),
        "wrong": task({**a, "password": "two\nlines"}),
    }
    first = {"planned from nothing": cases.pop("planned from nothing")}
    inside, module = assert_same(PLAYBOOKS[0], first, tmp_path / "first")
    outputs = [inside.out, module.out]
    assert inside.result("planned from nothing")["created"] is True
    place.run(logins=[place.login("a")])
    inside, module = assert_same(PLAYBOOKS[0], cases, tmp_path / "second")
    outputs += [inside.out, module.out]
    assert [inside.result(case)["changed"] for case in cases] == [False, True, False, False]
    assert [inside.result(case).get("code") for case in cases] == [None, None, "refused", "invalid"]
    secrets = (place.password("a"), place.password("b"), PASSWORD, "two\nlines", "SCRAM-SHA-256$")
    assert not [secret for secret in secrets for text in (*outputs, str(inside.events)) if secret in text]
