# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record the objects of every situation at the moment its cause is named, for the unit tests.

    python -m tests.e2e.kube_track.record [NAME...]

writes tests/unit/kube_track/recorded/<name>.json: the tracked object, and lists by kind of what lies around it.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.golive.cutover.plugins.modules import kube_track
from tests.e2e.conftest import ROOT, cluster_env, kubectl
from tests.e2e.kube_track.situations import SITUATIONS, apply
from tests.e2e.kube_track.verbs import call_verb

FOLDER = ROOT / "tests" / "unit" / "kube_track" / "recorded"
KINDS = ("replicasets", "controllerrevisions", "pods", "events", "persistentvolumeclaims")


def main() -> None:
    """Record the named situations, or all."""
    os.environ.update(cluster_env())
    FOLDER.mkdir(exist_ok=True)
    space = f"golive-record-{secrets.token_hex(4)}"
    kubectl("create", "namespace", space)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: _record(space, name), sys.argv[1:] or SITUATIONS))
    finally:
        kubectl("delete", "namespace", space, "--wait=false")


def _record(space: str, name: str) -> None:
    situation = SITUATIONS[name]
    objects = situation.make(name)
    if not objects:
        return
    kind = objects[0]["kind"]
    apply(space, *objects)
    options = {"soak": 3, "timeout": 90, **situation.options}
    call_verb(kube_track, objects=[{"kind": kind, "name": name}], namespace=space, **options)
    recorded: dict[str, Any] = {"object": _clean(json.loads(kubectl("-n", space, "get", kind, name, "-o", "json")))}
    for plural in KINDS:
        rows = json.loads(kubectl("-n", space, "get", plural, "-o", "json"))["items"]
        recorded[plural] = [_clean(row) for row in rows if row["metadata"]["name"].startswith(name)]
    kubectl("-n", space, "delete", kind, name, "--wait=false")
    text = (
        json.dumps(recorded, indent=1).replace(space, "shop").replace(os.environ["GOLIVE_IMAGE_PREFIX"], "example.org")
    )
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(name, flush=True)


def _clean(obj: dict[str, Any]) -> dict[str, Any]:
    obj["metadata"].pop("managedFields", None)
    return obj


if __name__ == "__main__":
    main()
