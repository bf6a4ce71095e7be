# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a set of objects, gathered so that one run names all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_SHOWN = 20


def raise_faults(faults: Iterable[GoliveError], details: Mapping[str, Any] | None = None) -> None:
    """Raise one error for all faults; do nothing when there is none.

    A single fault keeps its code and hint. Several of one code keep that code; otherwise it is ``many_faults``.
    ``details.faults`` lists every one as ``{code, message, hint}``, beside the ``details`` given.
    """
    found = list({fault.message: fault for fault in faults}.values())
    if not found:
        return
    listed = [{"code": fault.code, "message": fault.message, "hint": fault.hint} for fault in found]
    more = {**(details or {}), "faults": listed}
    if len(found) == 1:
        raise GoliveError(found[0].code, found[0].message, found[0].hint, {**found[0].details, **more})
    codes = {fault.code for fault in found}
    lines = [f"{number}. {fault.message}" for number, fault in enumerate(found[:_SHOWN], 1)]
    if len(found) > _SHOWN:
        lines.append(f"… and {len(found) - _SHOWN} more.")
    hints = dict.fromkeys(fault.hint for fault in found if fault.hint)
    raise GoliveError(
        codes.pop() if len(codes) == 1 else "many_faults",
        f"{len(found)} faults in the set of objects: " + " ".join(lines),
        " ".join(hints) or None,
        more,
    )
