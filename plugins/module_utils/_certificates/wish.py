# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certificate is wanted: the options of the verb ``tls_secret``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253
# A hundred years: what is meant for longer is a slip, and the year 9999 ends X.509.
_MOST_DAYS = 36500


@dataclass(frozen=True)
class Wish:
    """The checked options. ``names`` are in lower case, addresses in their shortest form, each once."""

    namespace: str
    name: str
    ca_name: str
    ca_days: int
    names: tuple[str, ...]
    usages: tuple[str, ...]
    days: int
    renew_days: int
    key: str
    labels: Mapping[str, str]
    adopt: bool
    renew: bool
    renew_ca: bool


def wish_from(params: Mapping[str, Any]) -> Wish:
    """The options of a call; raises GoliveError ``name_invalid`` or ``days_invalid``."""
    ca, name = params["ca"], params["name"]
    if ca["name"] == name:
        raise GoliveError(
            "name_invalid",
            f"Making the certificate failed: name and ca.name are both {name}, and one Secret cannot hold both.",
            f"Give the certificate authority a Secret of its own, such as {name}-ca.",
        )
    for option, days in (("days", params["days"]), ("ca.days", ca["days"])):
        if not 1 <= days <= _MOST_DAYS:
            raise GoliveError("days_invalid", f"{option} is {days}; it must be between 1 and {_MOST_DAYS}.")
    if not 0 <= params["renew_days"] < params["days"]:
        raise GoliveError(
            "days_invalid",
            f"renew_days is {params['renew_days']}, and a certificate lasts {params['days']} days: each run would"
            " renew it.",
            "Let renew_days be less than days, and not negative.",
        )
    return Wish(
        namespace=params["namespace"],
        name=name,
        ca_name=ca["name"],
        ca_days=ca["days"],
        names=_names(params["names"]),
        usages=tuple(sorted(set(params["usages"]))),
        days=params["days"],
        renew_days=params["renew_days"],
        key=params["key"],
        labels={key: str(value) for key, value in (params["labels"] or {}).items()},
        adopt=params["adopt"],
        renew=params["renew"],
        renew_ca=params["renew_ca"],
    )


def _names(given: list[str]) -> tuple[str, ...]:
    if not given:
        raise GoliveError("name_invalid", "names is empty; a certificate needs at least one DNS name or IP address.")
    return tuple(dict.fromkeys(normal_name(name) for name in given))


def normal_name(text: str) -> str:
    """A DNS name in lower case or an IP address in its shortest form; raises GoliveError ``name_invalid``.

    RFC 5280 4.2.1.6 wants the preferred name syntax of RFC 1034; RFC 6125 6.4.3 a wildcard as the whole first label.
    """
    try:
        return str(ipaddress.ip_address(text)) if "%" not in text else _refused(text)
    except ValueError:
        pass
    name = text.lower()
    labels = name.removeprefix("*.").split(".")
    # A name that ends in a number is taken for an IPv4 address by clients, and for none at all by others.
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        return _refused(text)
    return name


def _refused(text: str) -> str:
    raise GoliveError(
        "name_invalid",
        f"names has {text!r}, which is neither a DNS name nor an IP address.",
        "Write names like shop.example.org or *.shop.example.org (other letters in their xn-- form), and addresses"
        " without port, prefix length or zone.",
    )
