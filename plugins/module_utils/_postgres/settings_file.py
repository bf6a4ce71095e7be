# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration files as the server would read them now, before anybody asks it to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.setting_values import written

# What the server says of a good value that only a restart brings.
_NEEDS_RESTART = "setting could not be applied"


def look_at_file(session: Session, file: str, wanted: Mapping[str, Any]) -> Done[None] | Failed | Pending:
    """Whether the server sees exactly the wanted settings in the file; values count as text, as the file has them.

    A line that the server would refuse, and a wanted setting that another file outranks, are failures.
    """
    rows = session.rows("SELECT sourcefile, sourceline, seqno, name, setting, applied, error FROM pg_file_settings")
    faults = [row for row in rows if row["error"] and row["error"] != _NEEDS_RESTART]
    here = {row["name"].lower(): row for row in rows if row["sourcefile"] == file and row["name"]}
    expected = {name.lower(): written(value) for name, value in wanted.items() if value is not None}
    differing = sorted(
        name for name in {*here, *expected} if expected.get(name) != (here[name]["setting"] if name in here else None)
    )
    if differing:
        return Pending(f"{file} is not yet the new one ({', '.join(differing[:5])})")
    if faults:
        lines = [f"{row['sourcefile']}:{row['sourceline']}: {row['error']}" for row in faults]
        return Failed(
            GoliveError(
                "file_refused",
                f"The server would refuse its configuration: {'; '.join(lines)}.",
                "Correct the file; the server still runs with what it had.",
                {"faults": lines},
            )
        )
    later = [
        (name, row)
        for name in expected
        for row in rows
        if row["name"] and row["name"].lower() == name and row["seqno"] > here[name]["seqno"]
    ]
    outranked = sorted(
        f"{name} by {row['sourcefile']}:{row['sourceline']}" for name, row in later if row["setting"] != expected[name]
    )
    if outranked:
        return Failed(
            GoliveError(
                "outranked",
                f"Settings of {file} are outranked: {', '.join(outranked)}.",
                "Take them out there; for postgresql.auto.conf with ALTER SYSTEM RESET.",
                {"outranked": outranked},
            )
        )
    return Done(None)
