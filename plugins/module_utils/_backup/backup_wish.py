# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verb ``pg_backup`` is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Policy
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention_spec import policy_from
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# What pgBackRest takes as a value of an annotation on its command line, and people can read in a listing.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,127}")


@dataclass(frozen=True)
class Wish:
    """The options as they are used; ``wait_s`` is how long the end of another backup is waited for."""

    namespace: str
    app: str
    state: str
    kind: str
    repo: int
    run: str | None
    tag: str | None
    backup: str | None
    reason: str
    keep_wal: bool
    policy: Policy
    resources: Mapping[str, Any]
    labels: Mapping[str, str]
    timeout_s: float
    wait_s: float

    @property
    def place(self) -> str:
        """The repository, for messages."""
        return f"repository {self.repo} of {self.app} in namespace {self.namespace}"


def wish_from(params: Mapping[str, Any]) -> Wish:
    """Read the options; raises GoliveError ``invalid``."""
    for name in ("run", "tag", "reason"):
        if params[name] is not None and not _PLAIN.fullmatch(params[name]):
            raise GoliveError(
                "invalid",
                f"Using {name} {params[name]!r} was refused: it goes into the repository as one short line.",
                "Take at most 128 letters, digits, spaces and . _ : / @ + -, beginning with a letter or digit.",
            )
    return Wish(
        namespace=params["namespace"],
        app=params["app"],
        state=params["state"],
        kind=params["type"],
        repo=params["repository"],
        run=params["run"],
        tag=params["tag"],
        backup=params["backup"],
        reason=params["reason"] or "held",
        keep_wal=params["keep_wal"],
        policy=policy_from(params),
        resources=params["resources"] or {},
        labels=params["labels"] or {},
        timeout_s=params["timeout"],
        wait_s=params["wait"],
    )
