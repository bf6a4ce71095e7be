# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What about an HTTPRoute makes a shift by weights unsafe or without effect; reference section 2.5, Gateway API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_route import (
    WEIGHTS,
    Rule,
    faults_of,
    hidden_by,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import REFUSE, Hazard, owner_hazards
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOURS


def rule_hazards(rule: Rule, accepted: Iterable[str]) -> list[Hazard]:
    """All that can be seen on the route alone. ``accepted`` are field managers known to leave its rules alone."""
    found = [
        Hazard(fault.code, REFUSE, f"{fault.message}.", "Look at the status of the route, its Gateway and controller.")
        for fault in faults_of(rule.route)
    ]
    hidden = hidden_by(rule)
    if hidden is not None:
        text = f"The {rule.place} never matches: rule {hidden} before it takes the same requests."
        found.append(Hazard("rule_hidden", REFUSE, text, "Name the rule that takes the traffic, or remove one."))
    found += filter_hazards(rule, rule.raw())
    if edited(rule):
        found.append(edited_hazard(rule))
    return found + owner_hazards(rule.route, "HTTPRoute", "rules", accepted)


def filter_hazards(rule: Rule, weights: Mapping[str, int]) -> list[Hazard]:
    """A backend with a filter of its own has no cluster in Envoy while its weight is 0, so that leaving 0 costs
    requests (measured: up to 54 of 500 status in one shift)."""
    bare = [rule.place.service(colour) for colour in COLOURS if rule.backend(colour).get("filters")]
    if not bare or min(weights.values()) > 0:
        return []
    text = f"In {rule.place}, {', '.join(bare)} has filters of its own: proxies drop requests when a weight leaves 0."
    return [Hazard("backend_filters", REFUSE, text, "Move these filters from the backend to its rule.")]


def edited(rule: Rule) -> bool:
    """Whether somebody set other weights than the last run of ours."""
    recorded = rule.note(WEIGHTS)
    return recorded is not None and recorded != told(rule.raw())


def edited_hazard(rule: Rule) -> Hazard:
    """How to go on when somebody did."""
    text = f"Weights of {rule.place} are {told(rule.raw())}, and the last run left {rule.note(WEIGHTS)}."
    hint = (
        f"Somebody changed them by hand. Set them back, or accept them: kubectl -n {rule.place.namespace}"
        f" annotate httproute {rule.place.route} {WEIGHTS}-"
    )
    return Hazard("weights_edited", REFUSE, text, hint)


def told(weights: Mapping[str, int]) -> str:
    """Weights as one text: ``blue=99,green=1``."""
    return ",".join(f"{colour}={weights[colour]}" for colour in COLOURS)
