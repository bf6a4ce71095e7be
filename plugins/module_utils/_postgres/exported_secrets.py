# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Series of the exporter about the passwords that the role postgres has made: when each was made, how old it may get.

A Secret tells the first itself, in a key beside the password, of which the exporter's pod mounts nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.series import Sample, Source, Told

# One file for each Secret, of its name.
FOLDER = Path("/etc/golive/rotated")
MOST_AGE = "GOLIVE_SECRET_MAX_AGE"
ROTATED, MAX_AGE = "golive_secret_last_rotated_timestamp_seconds", "golive_secret_max_age_seconds"


def read_rotations(_login: Mapping[str, str]) -> Told:
    """Both series by Secret; one whose password is older than this key of it has none."""
    samples: list[Sample] = []
    faults: list[str] = []
    for file in sorted(one for one in FOLDER.glob("*") if not one.name.startswith(".")):
        try:
            at = datetime.fromisoformat(file.read_text(encoding="utf-8").strip().replace("Z", "+00:00")).timestamp()
        except (OSError, ValueError) as error:
            faults.append(f"{file.name}: {error}")
            continue
        labels = {"name": file.name}
        samples += [Sample(ROTATED, at, labels), Sample(MAX_AGE, float(os.environ[MOST_AGE]), labels)]
    return Told({"secrets": samples}, {"secrets": "; ".join(faults)} if faults else {})


SOURCES = (Source(("secrets",), frozenset({ROTATED, MAX_AGE}), 30, 120, read_rotations),)
