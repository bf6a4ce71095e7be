# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second opinion: squawk, where its program is installed, with its rules under our ids."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile

_TIMEOUT_S = 60
# Its rule: the ids that may be meant, the likeliest first. What the runner itself sees to is not asked for.
IDS: dict[str, tuple[str, ...]] = {
    "adding-field-with-default": (
        "add-column-volatile-default",
        "add-column-stored-generated",
        "add-column-serial-or-identity",
        "add-column-constrained-domain",
    ),
    "adding-foreign-key-constraint": ("add-foreign-key-validated", "add-column-references"),
    "adding-not-nullable-field": ("set-not-null-scan",),
    "adding-required-field": ("add-column-required", "add-column-serial-or-identity"),
    "adding-serial-primary-key-field": ("add-unique-or-primary-key",),
    "ban-add-enum-value": ("enum-value-used-early",),
    "ban-alter-database-options": ("unknown-reach-alter",),
    "ban-alter-domain-with-add-constraint": ("alter-domain-add-constraint",),
    "ban-alter-extension": ("unknown-reach-alter",),
    "ban-alter-policy-condition": ("trigger-rule-policy-ddl",),
    "ban-alter-role-options": ("privilege-change",),
    "ban-alter-row-level-security": ("trigger-rule-policy-ddl",),
    "ban-alter-system-options": ("unknown-reach-alter",),
    "ban-char-field": ("style-type",),
    "ban-concurrent-index-creation-in-transaction": ("concurrent-in-transaction",),
    "ban-create-domain-with-constraint": ("alter-domain-add-constraint",),
    "ban-create-policy": ("trigger-rule-policy-ddl",),
    "ban-detach-inheritance": ("trigger-rule-policy-ddl",),
    "ban-disable-trigger": ("trigger-rule-policy-ddl",),
    "ban-drop-column": ("drop-column",),
    "ban-drop-constraint": ("drop-constraint",),
    "ban-drop-database": ("drop-object", "needs-autocommit"),
    "ban-drop-default": ("change-default",),
    "ban-drop-not-null": ("drop-not-null",),
    "ban-drop-policy": ("drop-object", "trigger-rule-policy-ddl"),
    "ban-drop-schema": ("drop-object",),
    "ban-drop-table": ("drop-object",),
    "ban-drop-trigger": ("trigger-rule-policy-ddl",),
    "ban-drop-type": ("drop-object",),
    "ban-drop-view": ("drop-object",),
    "ban-replace-view-function": ("replace-view-in-use",),
    "ban-replica-identity": ("trigger-rule-policy-ddl",),
    "ban-revoke": ("privilege-change",),
    "ban-set-default": ("change-default",),
    "ban-set-schema": ("rename-object",),
    "ban-truncate-cascade": ("truncate",),
    "ban-uncommitted-transaction": ("transaction-control-in-file",),
    "changing-column-type": ("retype-column-rewrite", "retype-column-safe"),
    "constraint-missing-not-valid": (
        "add-check-validated",
        "validate-same-transaction",
        "add-foreign-key-validated",
        "add-exclusion",
        "add-unique-or-primary-key",
    ),
    "disallowed-unique-constraint": ("add-unique-or-primary-key", "add-column-inline-constraint"),
    "identifier-too-long": ("identifier-too-long",),
    "prefer-bigint-over-int": ("narrow-integer-key",),
    "prefer-bigint-over-smallint": ("narrow-integer-key",),
    "prefer-identity": ("style-type", "add-column-serial-or-identity"),
    "prefer-repack": ("vacuum-full-or-cluster",),
    "prefer-text-field": ("style-type",),
    "prefer-timestamptz": ("style-type",),
    "renaming-column": ("rename-object",),
    "renaming-object": ("rename-object",),
    "renaming-table": ("rename-object",),
    "require-concurrent-index-creation": ("create-index-blocking", "index-on-partitioned-parent"),
    "require-concurrent-index-deletion": ("drop-index-blocking",),
    "require-concurrent-partition-detach": ("detach-partition-blocking",),
    "require-concurrent-reindex": ("reindex-blocking",),
    "require-lock-timeout": ("no-lock-timeout",),
    "require-statement-timeout": ("no-statement-timeout",),
    "require-table-schema": ("style-unqualified-name",),
    "transaction-nesting": ("transaction-control-in-file",),
}
# Where it looks at less than our rules do, so that it could only add false alarms: what is valid already, which type a
# column had, what a default calls, NOT VALID on a domain, ONLY of a partitioned table, names of indexes. The runner
# sets the timeouts, and CONCURRENTLY must not have one.
DECIDED_HERE = frozenset(
    {
        "add-column-required",
        "add-column-volatile-default",
        "add-exclusion",
        "alter-domain-add-constraint",
        "concurrent-under-lock-timeout",
        "create-index-blocking",
        "drop-constraint",
        "invalid-index-kept",
        "narrow-integer-key",
        "no-lock-timeout",
        "no-statement-timeout",
        "rename-object",
        "retype-column-rewrite",
        "retype-column-safe",
        "set-not-null-scan",
    }
)


@dataclass(frozen=True)
class Opinion:
    """One finding of squawk; ``line`` is counted from 1."""

    file: str
    line: int
    rule: str
    message: str
    ids: tuple[str, ...]


def find_program() -> str | None:
    """The program on PATH, or beside this Python; None when it is not installed."""
    beside = os.path.join(os.path.dirname(sys.executable), "squawk")
    return shutil.which("squawk") or (beside if os.access(beside, os.X_OK) else None)


def opinions(program: str, files: Iterable[LintFile], version: int | None) -> list[Opinion]:
    """What squawk says of each file; nothing for one on which it fails, since it is only the second opinion."""
    found = []
    for one in files:
        arguments = [program, "--reporter", "json", "--stdin-filepath", one.file]
        if one.kind == "tx":
            arguments.append("--assume-in-transaction")
        if version is not None:
            arguments += ["--pg-version", f"{version}.0"]
        try:
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                arguments, input=one.text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, cwd="/"
            )
            rows = json.loads(done.stdout or "[]")
        except (OSError, ValueError, subprocess.TimeoutExpired):
            continue
        for row in rows:
            rule = str(row["rule_name"])
            found.append(Opinion(one.file, int(row["line"]) + 1, rule, str(row["message"]), IDS.get(rule, ())))
    return found
