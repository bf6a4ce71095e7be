# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets which alert: a configuration for Alertmanager 0.31 and newer, with every credential in a file.

Routing as in docs/alerts.md: the Watchdog in a rhythm of its own, critical alerts again after an hour, warnings after
twelve. One that stays critical for a quarter of an hour goes to the second line as well. A critical alert mutes the
warnings of the same app and database, an outage the alerts that follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NOBODY = "nobody"
FOLDER = "/etc/golive/secrets"
# What Alertmanager takes as a value or as NAME_file.
_VALUES = (
    "api_key",
    "api_secret",
    "app_token",
    "auth_password",
    "auth_secret",
    "bearer_token",
    "bot_token",
    "client_secret",
    "credentials",
    "password",
    "routing_key",
    "secret_key",
    "service_key",
    "token",
    "user_key",
    "webhook_url",
)
# An address here holds a token.
_ADDRESSES = {"webhook_configs": "url", "slack_configs": "api_url"}
# Alertmanager's documentation, «time_interval».
_INTERVAL = {"times", "weekdays", "days_of_month", "months", "years", "location"}
_MUTED = "muted"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_FOLLOWS = "App(ErrorBudgetBurn.*|LatencyBudgetBurn.*|ErrorRateCritical|Latency.*|ErrorsLowTraffic|TrafficDropped)"


def routing(wish: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` for Alertmanager and ``secrets``, the names of the Secrets whose files it names below ``FOLDER``.

    ``receivers`` are Alertmanager's own, but for ``NAME_secret: {name, key}`` in place of ``NAME_file``. ``receiver``
    gets what no route takes, the first one unless told; ``heartbeat`` gets the Watchdog, ``escalation`` what stays
    critical; ``routes`` go before the usual ones. ``muted`` are Alertmanager's time intervals in which warnings that no
    route of ``routes`` takes are kept back. Raises ValueError that names every fault.
    """
    faults: list[str] = []
    secrets: set[str] = set()
    receivers = [_receiver(one, place, faults, secrets) for place, one in enumerate(wish["receivers"])]
    names = [str(one["name"]) for one in receivers if one]
    faults += [
        f"receivers: {name} is there twice" for name in sorted({name for name in names if names.count(name) > 1})
    ]
    default = str(wish["receiver"] or (names[0] if names else NOBODY))
    heartbeat = str(wish["heartbeat"] or NOBODY)
    escalation = str(wish["escalation"] or "")
    used = {"receiver": default, "heartbeat": heartbeat, **dict(_routed(wish["routes"], "routes"))}
    if escalation:
        used["escalation"] = escalation
    faults += [
        f"muted[{place}] is no time interval of Alertmanager"
        for place, one in enumerate(wish["muted"])
        if not isinstance(one, Mapping) or not one or set(one) - _INTERVAL
    ]
    faults += [f"{where}: there is no receiver {name}" for where, name in used.items() if name not in {*names, NOBODY}]
    if faults:
        raise ValueError(", ".join(faults))
    if NOBODY not in names:
        receivers.append({"name": NOBODY})
    route = _route(default, heartbeat, escalation, wish["routes"], bool(wish["muted"]))
    config = {"route": route, "receivers": receivers, "inhibit_rules": _inhibit()}
    if wish["muted"]:
        config["time_intervals"] = [{"name": _MUTED, "time_intervals": wish["muted"]}]
    return {"config": config, "secrets": sorted(secrets)}


def _route(default: str, heartbeat: str, escalation: str, routes: list[Any], mutes: bool) -> dict[str, Any]:
    beat = {"group_wait": "0s", "group_interval": "30s", "repeat_interval": "1m"}
    second = {"matchers": ['alertname="CriticalUnresolved"'], "receiver": escalation, "repeat_interval": "1h"}
    warning = {"matchers": ['severity="warning"'], "receiver": default, "mute_time_intervals": [_MUTED]}
    return {
        "receiver": default,
        "group_by": ["alertname", "cluster", "namespace", "app", "pgcluster"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "12h",
        "routes": [
            {"matchers": ['alertname="Watchdog"'], "receiver": heartbeat, **beat},
            # Whoever got the alert itself hears of it too.
            *([{**second, "continue": True}] if escalation else []),
            *routes,
            {"matchers": ['severity="critical"'], "receiver": default, "repeat_interval": "1h"},
            *([warning] if mutes else []),
        ],
    }


def _inhibit() -> list[dict[str, Any]]:
    return [
        {
            "source_matchers": ['severity="critical"'],
            "target_matchers": ['severity="warning"', 'alertname!="MonitoringImpaired"'],
            "equal": ["cluster", "namespace", "app", "pgcluster"],
        },
        {
            "source_matchers": ['alertname="AppUnreachable"'],
            "target_matchers": [f'alertname=~"{_FOLLOWS}"'],
            "equal": ["cluster", "namespace", "app"],
        },
    ]


def _receiver(one: Any, place: int, faults: list[str], secrets: set[str]) -> dict[str, Any]:
    where = f"receivers[{place}]"
    if not isinstance(one, Mapping) or not one.get("name"):
        faults.append(f"{where} needs a name")
        return {}
    made: dict[str, Any] = {"name": one["name"]}
    for kind, entries in one.items():
        if kind == "name":
            continue
        if not str(kind).endswith("_configs") or not isinstance(entries, list):
            faults.append(f"{where}.{kind} is no list of a kind of receiver, such as webhook_configs")
            continue
        made[kind] = [_filed(entry, f"{where}.{kind}", kind, faults, secrets) for entry in entries]
    return made


def _filed(value: Any, where: str, kind: str, faults: list[str], secrets: set[str]) -> Any:
    """The value with files in place of Secrets; a credential that stands there openly is a fault."""
    if isinstance(value, list):
        return [_filed(one, where, kind, faults, secrets) for one in value]
    if not isinstance(value, Mapping):
        return value
    made = {}
    for name, inner in value.items():
        if name in _VALUES or name == _ADDRESSES.get(kind):
            faults.append(f"{where}.{name} must be in a Secret: {name}_secret with name and key")
        elif str(name).endswith("_secret"):
            file = f"{str(name).removesuffix('_secret')}_file"
            made[file] = _path(inner, f"{where}.{name}", faults, secrets)
        else:
            made[name] = _filed(inner, f"{where}.{name}", "", faults, secrets)
    return made


def _path(place: Any, where: str, faults: list[str], secrets: set[str]) -> str:
    name, key = (str(place.get(part, "")) for part in ("name", "key")) if isinstance(place, Mapping) else ("", "")
    if not (_NAME.fullmatch(name) and _KEY.fullmatch(key)):
        faults.append(f"{where} needs the name of a Secret and the key in it")
        return ""
    secrets.add(name)
    return f"{FOLDER}/{name}/{key}"


def _routed(routes: Any, where: str) -> Iterator[tuple[str, str]]:
    """Each receiver that a route names, by where it does."""
    for place, route in enumerate(routes):
        if isinstance(route, Mapping):
            if "receiver" in route:
                yield f"{where}[{place}].receiver", route["receiver"]
            yield from _routed(route.get("routes") or [], f"{where}[{place}].routes")
