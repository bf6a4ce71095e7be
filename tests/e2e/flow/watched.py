# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that a dead man watches: their settings, who holds the lock, and what must be gone after them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.traffic.stand import until

LEASE_S, GRACE_S = 10, 4
# An observe that outlasts the run's death.
LONG = {"release_observe_passes": 60}
_SET = "golive.cutover/set=notes-dead-man"
_KINDS = "jobs,pods,configmaps,serviceaccounts,roles,rolebindings"


def watched() -> dict[str, Any]:
    """Settings of a stage whose runs are watched, with short times."""
    built = subprocess.run(
        [ROOT / "tests/images/build", "python", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    image: str = json.loads(Path(built.stdout.strip()).read_text())["python"]
    return {
        "release_dead_man": {"image": image, "grace": GRACE_S},
        "release_lease_seconds": LEASE_S,
        "release_observe_passes": 2,
    }


def wanted(stage: Stage, run: str) -> dict[str, Any]:
    """Settings of a release that never was before."""
    new = "1.0.0" if version(stage) == "2.0.0" else "2.0.0"
    return {"app_version": new, "migrate_target": "0002", "app_env": {"NOTES_RUN": run}}


def version(stage: Stage) -> str:
    """The version that answers; Envoy writes names of headers in small letters."""
    return {name.lower(): value for name, value in stage.get("/readyz")[1].items()}.get("x-app-version", "")


def holder(stage: Stage) -> str:
    """Who holds the lock; empty when nobody does."""
    return kubectl("-n", stage.namespace, "get", "lease", "notes-golive", "-o", "jsonpath={.spec.holderIdentity}")


def returned(stage: Stage, old: str, seconds: float) -> None:
    """Wait until the old release answers again, and until the dead man has given the lock back."""
    until(lambda: version(stage) == old, LEASE_S + GRACE_S + seconds, "the old release to be back")
    until(lambda: not holder(stage), 40, "the dead man to end")


def nothing_is_left(stage: Stage) -> None:
    """Wait until no object of a dead man is there any more."""

    def gone() -> bool:
        rows = kubectl("-n", stage.namespace, "get", _KINDS, "-l", _SET, "-o", "name").split()
        pods = kubectl(
            "-n", stage.namespace, "get", "pods", "-l", "app.kubernetes.io/name=notes-dead-man", "-o", "name"
        )
        return not rows and not pods.split()

    until(gone, 60, "the dead man's objects to go")
