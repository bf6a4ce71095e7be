# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a check of kind ``load``, what they default to, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.effect import OF_PROBES, effect_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_tests import ShareTest
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import check_url
from ansible_collections.golive.cutover.plugins.module_utils._gate.relative import TIMES_WORSE
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import (
    ALPHA,
    BETA,
    PRESETS,
    Preset,
    corrected_alpha,
    settings_faults,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec

MOST_RATE = 400.0
# Fewer seconds beside the old release are too few for ranks.
LEAST_COMPARED_S = 20.0
_ERRORS = [name for name, preset in PRESETS.items() if preset.slower_than is None]
_SLOW = [name for name, preset in PRESETS.items() if preset.slower_than is not None]
DEFAULTS: Mapping[str, Any] = {
    "load": None, "url": None, "path": None, "tunnel": None, "method": "GET", "headers": {}, "status": None,
    "validate_certs": True, "ca_cert": None,
}  # fmt: skip


def load_options() -> dict[str, Any]:
    """A fresh argument spec of the option ``load``."""
    shares = {"p0": {"type": "float"}, "p1": {"type": "float"}}
    return {
        "load": {
            "type": "dict",
            "options": {
                "rate": {"type": "float", "default": 20},
                "dwell": {"type": "float", "default": 60},
                "preset": {"type": "str", "choices": _ERRORS, "default": "errors"},
                **shares,
                "slow": {
                    "type": "list",
                    "elements": "dict",
                    "options": {
                        "preset": {"type": "str", "choices": _SLOW, "default": "slow_p99"},
                        "slower_than": {"type": "float"},
                        **shares,
                    },
                    "default": [{"preset": "slow_p99"}],
                },
                "alpha": {"type": "float", "default": ALPHA},
                "beta": {"type": "float", "default": BETA},
                "effect": {"type": "float"},
                "after_shift": {"type": "bool", "default": False},
                "header": {"type": "str", "default": "X-App-Colour"},
                "pod_header": {"type": "str", "default": "X-App-Pod"},
                "pods": {
                    "type": "dict",
                    "options": {
                        "namespace": {"type": "str", "required": True},
                        "service": {"type": "str", "required": True},
                    },
                },
                "compare": {
                    "type": "dict",
                    "options": {
                        **tunnel_spec(),
                        "url": {"type": "str"},
                        "times": {"type": "float", "default": TIMES_WORSE},
                    },
                    "mutually_exclusive": [("tunnel", "url")],
                    "required_one_of": [("tunnel", "url")],
                },
            },
        },
    }


def tests_of(check: Mapping[str, Any]) -> list[ShareTest]:
    """The tests of shares that the options describe. Raises ValueError for those of ``settings_faults``."""
    options = check["load"]
    old = options["compare"] is not None
    shared = {
        "alpha": corrected_alpha(options["alpha"], check["tests"]),
        "beta": options["beta"],
        "effect": effect_of(options["effect"], OF_PROBES),
        "clamp": options["after_shift"],
    }
    return [
        ShareTest(name, preset, old=old, times=(options["compare"] or {}).get("times", TIMES_WORSE), **shared)
        for name, preset in _presets(options)
    ]


def count_tests(check: Mapping[str, Any]) -> int:
    """How many tests of this check can fail a release."""
    options = check["load"]
    # Beside the old release also its share of errors and its latency are looked at, once.
    return len(_presets(options)) + (2 if options["compare"] is not None else 0)


def dwell_of(check: Mapping[str, Any]) -> float:
    """Seconds before which a check cannot pass."""
    options = check["load"]
    return max(float(options["dwell"]), LEAST_COMPARED_S if options["compare"] is not None else 0.0)


def _presets(options: Mapping[str, Any]) -> list[tuple[str, Preset]]:
    found = [("errors", _preset(options))]
    for row in options["slow"] or []:
        preset = _preset(row)
        found.append((f"slower than {preset.slower_than:g} s", preset))
    return found


def _preset(given: Mapping[str, Any]) -> Preset:
    base = PRESETS[given.get("preset") or _SLOW[0]]
    p0, p1, slower = (given.get(key) for key in ("p0", "p1", "slower_than"))
    return Preset(
        base.p0 if p0 is None else p0, base.p1 if p1 is None else p1, base.slower_than if slower is None else slower
    )


def load_faults(check: Mapping[str, Any]) -> list[str]:
    """What is wrong with the options of a check, each with its path."""
    options = check["load"]
    if options is None:
        return ["load is missing"]
    faults = place_faults(check, "")
    if not 0 < options["rate"] <= MOST_RATE:
        faults.append(f"load.rate must be greater than 0 and at most {MOST_RATE:g}")
    if options["dwell"] < 0:
        faults.append("load.dwell must not be negative")
    effect = effect_of(options["effect"], OF_PROBES)
    shared = (options["alpha"], options["beta"], effect.value)
    found = [("load", _preset(options))]
    found += [(f"load.slow[{number}]", _preset(row)) for number, row in enumerate(options["slow"] or [])]
    seen = set()
    for number, (place, preset) in enumerate(found):
        wrong = settings_faults(preset.p0, preset.p1, *shared)
        # The shared numbers are told once.
        faults += [f"{place}: {text}" for text in (wrong if number == 0 else wrong[:1]) if number == 0 or "p0" in text]
        if preset.slower_than is not None and not 0 < preset.slower_than < check["timeout"]:
            faults.append(f"{place}.slower_than must be greater than 0 and less than the timeout of a request")
        if preset.slower_than in seen:
            faults.append(f"{place}: there are two tests for slower than {preset.slower_than:g} s")
        seen.add(preset.slower_than)
    old = options["compare"]
    if old is not None:
        faults += place_faults({**old, "path": None if old["url"] else check["path"] or "/"}, "load.compare.")
        if old["times"] <= 1:
            faults.append("load.compare.times must be greater than 1")
    return faults


def place_faults(place: Mapping[str, Any], prefix: str) -> list[str]:
    """What is wrong with ``url``, ``path`` and ``tunnel`` of a load's place, each with ``prefix`` before its name."""
    faults = []
    if place["url"] is None and (place["path"] is None or not place["tunnel"]):
        faults.append(f"{prefix}url is missing (a path alone needs a tunnel)")
    if place["url"] is not None and place["path"] is not None:
        faults.append(f"{prefix}path and url exclude each other")
    if place["url"] is not None and check_url(place["url"]):
        faults.append(f"{prefix}url: {check_url(place['url'])}")
    if place["path"] is not None and not place["path"].startswith("/"):
        faults.append(f"{prefix}path must begin with /")
    return faults
