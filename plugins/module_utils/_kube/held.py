# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lease as the run that holds it knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Held:
    """A Lease as a run holds it: the option ``lease`` of every verb. ``holder`` is unlike that of every other run."""

    namespace: str
    name: str
    token: str
    holder: str

    @property
    def path(self) -> str:
        """API path of the Lease."""
        return lease_path(self.namespace, self.name)

    def as_dict(self) -> dict[str, str]:
        """The value of the option."""
        return asdict(self)

    def is_in(self, lease: Mapping[str, Any] | None) -> bool:
        """Whether the Lease as read is still this run's."""
        spec = (lease or {}).get("spec") or {}
        return spec.get("holderIdentity") == self.holder and str(spec.get("leaseTransitions")) == self.token


def held_from(option: Mapping[str, Any] | None) -> Held | None:
    """The option ``lease`` of a verb; None when the run holds none."""
    return Held(**{key: str(option[key]) for key in ("namespace", "name", "token", "holder")}) if option else None


def lease_path(namespace: str, name: str = "") -> str:
    """API path of a Lease, or of all in a namespace."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace, safe='')}/leases"
    return f"{path}/{quote(name, safe='')}" if name else path
