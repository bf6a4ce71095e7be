# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of one app are made for; all faults of a wish are told at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._monitor.bounds import BOUNDS, ORDER, PROFILES
from ansible_collections.golive.cutover.plugins.module_utils._monitor.sources import SOURCES

DATABASES = ("exporter", "cnpg", "none")
METRICS = (*SOURCES, "none")
RUNBOOKS = "https://github.com/golive/cutover/blob/main/docs/runbooks"
# What an app may have besides, and what it has unless told otherwise.
_USUAL = ("app", "probe", "kubernetes", "self")
_OF_DATABASE = (
    "postgres",
    "volumes",
    "archive",
    "backup",
    "restore_test",
    "migrations",
    "cutover",
    "schema",
    "bloat",
    "secrets",
)
_OPTIONAL = ("certificates", "headers", "cache", "logs", "external_secrets")
COMPONENTS = (*_USUAL, *_OF_DATABASE, "exporter_login", *_OPTIONAL)
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True)
class Settings:
    """``cluster`` is the value that scraped series carry as a label, empty where they carry none.

    A label that Prometheus adds only for others (external label) does not count. ``standbys`` and ``requests_rate``
    are what is expected; ``archive_timeout`` is the server's, in seconds; ``claims`` is a pattern for the names of the
    database's volume claims.
    """

    app: str
    namespace: str = ""
    cluster: str = ""
    pgcluster: str = ""
    profile: str = "standard"
    hypercare: bool = False
    database: str = "exporter"
    metrics: str = "prometheus"
    standbys: int = 0
    requests_rate: float = 0
    archive_timeout: int = 60
    claims: str = ""
    jobs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    runbooks: str = RUNBOOKS
    bounds: Mapping[str, float] = field(default_factory=dict)

    def components(self) -> set[str]:
        """What is there, so that no rule waits for series that never come."""
        found = {"always", *_USUAL}
        if self.metrics == "none":
            found.discard("app")
        if self.database != "none":
            found.update(_OF_DATABASE)
        if self.database == "exporter":
            found.add("exporter_login")
        if self.database != "none" and self.standbys:
            found.add("standby")
        if self.requests_rate and self.metrics != "none":
            found.add("requests_rate")
        if self.jobs:
            found.add("jobs")
        return (found | set(self.also)) - set(self.without)

    def bound(self, name: str) -> float:
        """A bound of the profile, or the one that was given instead."""
        return self.bounds[name] if name in self.bounds else BOUNDS[name].of(self.profile, self.hypercare)


def settings_from(wish: Mapping[str, Any]) -> Settings:
    """Settings with what is missing filled in. Raises ValueError that names every fault."""
    faults = [f"{name} is not known" for name in wish if name not in Settings.__dataclass_fields__]
    given = {name: value for name, value in wish.items() if name in Settings.__dataclass_fields__}
    app = str(given.pop("app", ""))
    faults += [] if _LABEL.fullmatch(app) else ["app must be the app's name"]
    for name in ("jobs", "also", "without"):
        if isinstance(given.get(name, ()), (list, tuple)):
            given[name] = tuple(str(value) for value in given.get(name, ()))
        else:
            faults.append(f"{name} must be a list")
            given.pop(name)
    found = Settings(app=app, **given)
    faults += _wrong_choices(found) + _wrong_bounds(found) + _wrong_numbers(found)
    if faults:
        raise ValueError(", ".join(faults))
    return Settings(
        **{
            **vars(found),
            "namespace": found.namespace or app,
            "pgcluster": found.pgcluster or f"{app}-postgres",
            "runbooks": found.runbooks.rstrip("/"),
        }
    )


def _wrong_choices(found: Settings) -> list[str]:
    pairs = (("profile", PROFILES), ("database", DATABASES), ("metrics", METRICS))
    faults = [f"{name} must be one of {', '.join(known)}" for name, known in pairs if getattr(found, name) not in known]
    unknown = sorted({*found.also, *found.without} - set(COMPONENTS))
    faults += [f"component {name} is not known ({', '.join(COMPONENTS)})" for name in unknown]
    for name in ("namespace", "pgcluster"):
        if getattr(found, name) and not _LABEL.fullmatch(str(getattr(found, name))):
            faults.append(f"{name} must be a name of Kubernetes")
    # They stand in quotes in every expression.
    faults += [
        f"{name} must be without quotes and backslashes"
        for name in ("cluster", "claims")
        if set('"\\') & set(str(getattr(found, name)))
    ]
    return faults


def _wrong_bounds(found: Settings) -> list[str]:
    faults = [f"bounds.{name} is not known" for name in found.bounds if name not in BOUNDS]
    for name, value in found.bounds.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            faults.append(f"bounds.{name} must be a number that is not negative")
    if faults or found.profile not in PROFILES:
        return faults
    return [
        f"bounds.{low} must be lower than bounds.{high}, which is {found.bound(high):g}"
        for low, high in ORDER
        if found.bound(low) >= found.bound(high)
    ]


def _wrong_numbers(found: Settings) -> list[str]:
    faults = []
    for name, least in (("standbys", 0), ("requests_rate", 0), ("archive_timeout", 1)):
        value = getattr(found, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < least:
            faults.append(f"{name} must be a number of at least {least}")
    return faults
