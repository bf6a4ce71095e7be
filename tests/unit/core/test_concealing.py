# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be seen of a result."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._core.concealing import hidden, masked, shown_warnings


def test_masked_keeps_bool_and_none_at_the_top() -> None:
    result = {"changed": True, "hint": None, "msg": "with hunter2!", "deep": [{"k": "hunter2"}]}
    assert masked(result, {"hunter2", "True", "None"}) == {
        "changed": True,
        "hint": None,
        "msg": "with ********!",
        "deep": [{"k": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}],
    }


def test_hidden_shows_the_code_instead_of_the_message() -> None:
    result = {"failed": True, "code": "refused", "msg": "secret", "exception": "secret", "warnings": ["secret"]}
    assert hidden(result) == {"failed": True, "code": "refused", "msg": "refused (details hidden by no_log)"}
    assert hidden({"changed": True, "value": 1}) == {"changed": True, "value": 1}
    assert hidden(hidden(result)) == hidden(result)


def test_warnings_are_masked_shown_once_and_not_under_no_log() -> None:
    assert shown_warnings(["a hunter2", "b", "a hunter2"], {"hunter2"}, no_log=False) == ["a ********", "b"]
    assert shown_warnings(["a"], (), no_log=True) == []
