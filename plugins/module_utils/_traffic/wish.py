# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a caller of the switch asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Target, need_url
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods import Steady
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import other
from ansible_collections.golive.cutover.plugins.module_utils._traffic.settle_wish import (
    SettleWish,
    read_settle,
    settle_faults,
)


@dataclass(frozen=True)
class Match:
    """Requests that always go to the wished colour: those whose ``header`` or ``cookie`` has ``value``."""

    header: str | None
    cookie: str | None
    value: str


@dataclass(frozen=True)
class Wish:
    """Times in seconds. ``proof`` is the weakest level that is accepted; ``expect`` what new answers in the header.

    ``weight`` is the percent that ``to`` shall get, ``mirror`` the percent of requests that are copied to it; ``stays``
    says that the other colour is not to have traffic again when the move fails.
    """

    to: str
    overlap: bool
    soak: float
    proof: str
    probe: Target | None
    expect: str
    rate: float
    accepted: tuple[str, ...]
    ready_timeout: float
    overlap_timeout: float
    outside_timeout: float
    narrow_timeout: float
    proof_timeout: float
    driver: str = "service"
    weight: int = 100
    match: Match | None = None
    mirror: int = 0
    settle: SettleWish | None = None
    soaked: frozenset[Steady] = frozenset()
    stays: bool = False

    @property
    def old(self) -> str:
        """The colour that is left."""
        return other(self.to)

    @property
    def no_probe(self) -> str:
        """Why the probe cannot tell the colours apart; empty when it can."""
        if self.probe is None:
            return "no probe is given"
        return "" if self.probe.header else "the probe has no header that tells the colours apart"


def read_wish(params: Mapping[str, Any]) -> Wish:
    """Raises GoliveError ``invalid`` with every wrong option at once."""
    faults = [
        f"{name} must be greater than 0" if low else f"{name} must not be negative"
        for name, low in (("soak", False), *((name, True) for name in _LIMITS))
        if params[name] < 0 or (low and params[name] == 0)
    ]
    if params["from"] == params["to"]:
        faults.append("from and to name the same colour")
    given = params["probe"]
    if given is None and params["require_proof"] == "probe":
        faults.append("require_proof is probe, but no probe is given")
    if given is not None:
        faults += _probe_faults(given)
    faults += [
        f"soaked[{number}] lacks {', '.join(missing)}"
        for number, row in enumerate(params["soaked"])
        if (missing := [name for name in ("uid", "ready_since", "restarts") if name not in row])
    ]
    faults += _share_faults(params) + settle_faults(params["settle"], params["weight"])
    if faults:
        raise GoliveError("invalid", f"Cannot switch: {'; '.join(faults)}.", "Correct these options.")
    return Wish(
        to=params["to"],
        overlap=params["overlap"],
        soak=params["soak"],
        proof=params["require_proof"],
        probe=_target(given) if given else None,
        expect=(given or {}).get("expect") or params["to"],
        rate=(given or {}).get("rate") or 0.0,
        accepted=tuple(params["accept_managers"] or ()),
        **{name: params[name] for name in _LIMITS},
        driver=params["driver"],
        weight=params["weight"],
        match=Match(**params["match"]) if params["match"] else None,
        mirror=params["mirror"],
        settle=read_settle(params["settle"]),
        soaked=frozenset((row["uid"], row["ready_since"] or "", row["restarts"]) for row in params["soaked"]),
        stays=params["on_failure"] == "stay",
    )


_LIMITS = ("ready_timeout", "overlap_timeout", "outside_timeout", "narrow_timeout", "proof_timeout")
_MOST_RATE = 200


def _share_faults(params: Mapping[str, Any]) -> list[str]:
    faults = [] if 1 <= params["weight"] <= 100 else ["weight must be from 1 to 100"]
    if not 0 <= params["mirror"] <= 100:
        faults.append("mirror must be from 0 to 100")
    if params["driver"] == "gateway" and not params["gateway"]:
        faults.append("driver is gateway, but gateway is not given")
    return faults


def _probe_faults(given: Mapping[str, Any]) -> list[str]:
    faults = []
    try:
        need_url(given["url"])
    except GoliveError as error:
        faults.append(f"probe.url: {error.message}")
    if given["timeout"] <= 0:
        faults.append("probe.timeout must be greater than 0")
    if not 0 < given["rate"] <= _MOST_RATE:
        faults.append(f"probe.rate must be above 0 and at most {_MOST_RATE}")
    return faults


def _target(given: Mapping[str, Any]) -> Target:
    return Target(
        url=given["url"],
        header=given["header"],
        timeout=given["timeout"],
        validate_certs=given["validate_certs"],
        ca_cert=given["ca_cert"],
    )
