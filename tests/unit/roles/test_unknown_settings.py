# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A misspelt variable is named with the right one; a team's own variable is left alone."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.filter.unknown_settings import unknown_settings

KNOWN = ["app_version", "app_image", "postgres_storage", "golive_profile"]


def test_a_misspelling_names_the_right_setting() -> None:
    assert unknown_settings(["app_verison", "app_image"], KNOWN) == [
        "app_verison is not a setting; did you mean app_version?"
    ]


def test_a_teams_own_variable_is_no_mistake() -> None:
    assert unknown_settings(["app_owner_team", "postgres_dashboard_link"], KNOWN) == []


def test_what_begins_with_golive_must_be_ours() -> None:
    (sentence,) = unknown_settings(["golive_colour_of_the_bikeshed"], KNOWN)
    assert "golive_colour_of_the_bikeshed is not a setting" in sentence
