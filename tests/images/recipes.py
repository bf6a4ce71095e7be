# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `tests/images/build` makes, in which version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cluster.versions import IMAGE_PREFIX

TESTS = Path(__file__).resolve().parents[1]

# Reference of an image to what the manifest says of it.
Entries = dict[str, dict[str, Any]]

HTTPBIN = "2.26.0"
# Prometheus 3.16.0: its module counts in another way.
PROMETHEUS_MODULE = "0.316.0"
VERSITYGW = "1.8.0"
# The kube-state-metrics whose names and arguments the stand-in has.
KUBE_STATE = "2.17.0"

# Settings that turn the one notes binary into a release. The 3.0.0 releases need no more of the database than
# 1.0.0 does, so that each shows its own fault alone; 3.0.0-noconfig is sound, what it lacks is a Secret key.
NOTES_RELEASES: dict[str, dict[str, str]] = {
    "1.0.0": {},
    "2.0.0": {"APP_SCHEMA": "2"},
    "3.0.0-slow": {"APP_FAULT": "slow"},
    "3.0.0-errors": {"APP_FAULT": "errors"},
    "3.0.0-crash": {"APP_FAULT": "crash"},
    "3.0.0-neverready": {"APP_FAULT": "neverready"},
    "3.0.0-noconfig": {},
    "3.0.0-oom": {"APP_FAULT": "oom"},
}

# The release before them keeps its notes in a SQLite file; it is another binary.
NOTES_SQLITE = "0.9.0"


def reference(name: str, version: str) -> str:
    return f"{IMAGE_PREFIX}/{name}:{version}"
