# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells Prometheus, as a file for the textfile collector of node_exporter."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_METRICS = {
    "success": "Whether the last run ended without an error.",
    "timestamp_seconds": "When the last run ended, in seconds since 1970.",
    "duration_seconds": "How long the last run took.",
    "applied": "Migrations that the last run applied.",
    "reverted": "Migrations that the last run took back.",
    "pending": "Migrations that were not applied after the last run.",
    "lock_retries": "Tries of the last run that ended at a lock of others.",
    "lock_wait_seconds": "Seconds the last run spent on tries that waited for others.",
    "catalogue_drift": "Lines of the catalogue that had changed without a migration when the last run began.",
}


def recorded(
    call: Call, file: str | None, labels: Mapping[str, str], run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What ``run`` returns; its numbers go into ``file``, also when it fails, and not in check mode.

    A file that cannot be written is a warning: the database has changed by then.
    """
    if not file or call.check_mode:
        return run()
    start = call.now()
    try:
        result = run()
    except GoliveError as error:
        _write(call, file, labels, {**_counts(error.details), "success": 0, "duration_seconds": call.now() - start})
        raise
    _write(call, file, labels, {**_counts(result), "success": 1, "duration_seconds": call.now() - start})
    return result


def _counts(result: Mapping[str, Any]) -> dict[str, float]:
    counts: dict[str, float] = {
        name: len(result[name]) for name in ("applied", "reverted", "pending") if name in result
    }
    drift = result.get("catalogue_drift")
    return {**counts, **result.get("locks", {}), **({} if drift is None else {"catalogue_drift": drift})}


def _write(call: Call, file: str, labels: Mapping[str, str], values: Mapping[str, float]) -> None:
    named = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    lines = []
    for name, text in _METRICS.items():
        value = {**values, "timestamp_seconds": time.time()}.get(name)
        if value is not None:
            full = f"golive_migrate_{name}"
            lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge", f"{full}{{{named}}} {value:.3f}"]
    try:
        target = Path(file)
        # The collector may read at any time: it sees the old file or the new one.
        with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=f".{target.name}.", delete=False) as handle:
            handle.write("\n".join(lines) + "\n")
        os.chmod(handle.name, 0o644)
        os.replace(handle.name, target)
    except OSError as error:
        call.warn(f"Writing the metrics into {file} failed: {error.strerror or error}.")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
