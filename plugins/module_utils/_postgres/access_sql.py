# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and texts inside statements, where the server takes no parameters."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import MEMBERSHIP_OPTIONS_SINCE


def name(text: str) -> str:
    """An identifier, always quoted."""
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string constant, for a session with standard_conforming_strings on."""
    return "'" + text.replace("'", "''") + "'"


def joined_sql(role: str, member: str, version: int) -> str:
    """Make ``member`` have the rights of ``role``, and let it become that role; ``version`` is the server's."""
    options = " WITH INHERIT TRUE, SET TRUE" if version >= MEMBERSHIP_OPTIONS_SINCE else ""
    return f"GRANT {name(role)} TO {name(member)}{options}"
