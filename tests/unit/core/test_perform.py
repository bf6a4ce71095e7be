# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever ``run`` does becomes a result of JSON types."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call, call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform


def _raise(error: BaseException) -> Any:
    def run(_call: Call) -> dict[str, Any]:
        raise error

    return perform(run, call_for_tests({}))


def test_a_result_gets_json_types_and_changed() -> None:
    assert perform(lambda call: {"pair": (1, {2: "x"})}, call_for_tests({})) == {
        "changed": False,
        "pair": [1, {"2": "x"}],
    }
    assert perform(lambda call: {"changed": True}, call_for_tests({})) == {"changed": True}


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan"), b"x"])
def test_a_result_that_json_cannot_hold_is_an_internal_error(value: Any) -> None:
    result = perform(lambda call: {"x": value}, call_for_tests({}))
    assert (result["failed"], result["code"], result["changed"]) == (True, "internal", False)
    assert "Traceback" in result["exception"]


def test_a_failure_carries_code_hint_and_details() -> None:
    assert _raise(GoliveError("quota_exceeded", "Creating x failed: quota.", "raise it", {"used": 3})) == {
        "failed": True,
        "changed": False,
        "msg": "Creating x failed: quota. Try: raise it",
        "code": "quota_exceeded",
        "hint": "raise it",
        "used": 3,
    }


def test_details_may_say_that_something_was_changed_but_not_that_nothing_failed() -> None:
    result = _raise(GoliveError("partial", "Half.", details={"changed": True, "failed": False, "msg": "fine"}))
    assert (result["changed"], result["failed"], result["msg"]) == (True, True, "Half.")


def test_details_that_json_cannot_hold_do_not_hide_the_failure() -> None:
    result = _raise(GoliveError("refused", "No.", details={"what": object()}))
    assert (result["code"], result["msg"]) == ("refused", "No.")


def test_an_unexpected_error_is_internal_with_traceback() -> None:
    result = _raise(KeyError("x"))
    assert (result["code"], result["msg"], result["changed"]) == ("internal", "Unexpected KeyError: 'x'", False)
    assert "test_perform.py" in result["exception"]


def test_an_interruption_goes_on() -> None:
    with pytest.raises(Interrupted):
        _raise(Interrupted("got SIGTERM"))
