# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain types out of whatever Ansible hands over."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.golive.cutover.plugins.module_utils._core.plain import plain


def _itself(value: Any) -> Any:
    return value


class TaggedStr(str):
    """Like the tagged and unsafe strings of ansible-core: its str is no plain one."""

    __slots__ = ()
    __str__ = _itself


class TaggedInt(int):
    """Like the tagged integers of ansible-core >= 2.19."""


def _vault_text(_value: Any) -> Any:
    return TaggedStr("secret")


class Vaulted:
    """Like a vault value: no str, but its str is the secret."""

    __str__ = _vault_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TaggedStr("x"), "x"),
        (TaggedInt(3), 3),
        (True, True),
        (None, None),
        (1.5, 1.5),
        ({TaggedStr("a"): (TaggedStr("b"), {TaggedInt(1): Vaulted()})}, {"a": ["b", {1: "secret"}]}),
        (frozenset({TaggedStr("x")}), ["x"]),
    ],
)
def test_plain(value: Any, expected: Any) -> None:
    made = plain(value)
    assert made == expected
    assert type(made) is type(expected)
    assert yaml.safe_load(yaml.safe_dump(made)) == expected


def test_plain_copies() -> None:
    given = {"a": [1]}
    made = plain(given)
    made["a"].append(2)
    assert given == {"a": [1]}
