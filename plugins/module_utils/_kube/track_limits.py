# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long each trouble may last before it is a cause: the option ``limits`` of the verbs that track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Seconds, or a count where the name is a plural of what is counted."""

    image_name: float = 1.0
    image_registry: float = 4.0
    image_tries: int = 3
    config: float = 20.0
    start_failures: int = 2
    exits: int = 2
    probe_kills: int = 2
    ready_factor: float = 1.0
    gate: float = 120.0
    schedule: float = 15.0
    scale_up: float = 600.0
    create: float = 6.0
    volume_claim: float = 30.0
    mount: float = 90.0
    sandbox_failures: int = 3
    disruptions: int = 2
    observe: float = 30.0
    api: float = 30.0


def limits_spec() -> dict[str, Any]:
    """A fresh argument spec of ``limits``; its documentation is the doc fragment ``limits``."""
    options = {
        name: {"type": "int" if isinstance(value, int) else "float", "default": value}
        for name, value in asdict(Limits()).items()
    }
    return {"limits": {"type": "dict", "options": options}}


def limits_from(given: Mapping[str, Any] | None) -> Limits:
    """The limits of a validated option; what is not given has its default."""
    return Limits(**{name: value for name, value in (given or {}).items() if value is not None})
