# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument vectors of pgBackRest. None of them holds a secret: those are in the configuration file of the container.

Each names its repository: without one, ``backup`` takes the first, ``expire`` all, ``restore`` the first that fits.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import STANZA

KINDS = ("full", "diff", "incr")
# A number of full backups that is never reached, so that pgBackRest itself removes none.
ALL_FULLS = 9_999_999
_PROGRAM = ("pgbackrest", f"--stanza={STANZA}")


def info() -> list[str]:
    """List all repositories."""
    return [*_PROGRAM, "info", "--output=json"]


def backup(kind: str, repo: int, annotations: Mapping[str, str]) -> list[str]:
    """Take a backup; the annotations stay with it in the repository."""
    return [
        *_PROGRAM,
        "backup",
        f"--type={kind}",
        f"--repo={repo}",
        "--log-level-console=info",
        *(f"--annotation={name}={value}" for name, value in sorted(annotations.items())),
    ]


def annotate(label: str, repo: int, annotations: Mapping[str, str]) -> list[str]:
    """Set annotations of a backup; an empty value removes one."""
    pairs = [f"--annotation={name}={value}" for name, value in sorted(annotations.items())]
    return [*_PROGRAM, "annotate", f"--repo={repo}", f"--set={label}", *pairs]


def expire_set(label: str, repo: int, dry_run: bool) -> list[str]:
    """Remove one backup with those that depend on it.

    An unknown label only warns, with exit code 0 (executed).
    """
    return [
        *_PROGRAM,
        "expire",
        f"--repo={repo}",
        f"--set={label}",
        # Else it goes on to the WAL by whatever its configuration says.
        f"--repo{repo}-retention-full={ALL_FULLS}",
        *_dry(dry_run),
        "--log-level-console=info",
    ]


def expire_wal(fulls: int, repo: int, dry_run: bool) -> list[str]:
    """Remove WAL from before the newest ``fulls`` full backups, but for that from start to stop of the older ones.

    An archive retention that is not set follows that of full backups, and with that never reached no WAL ever goes.
    """
    return [
        *_PROGRAM,
        "expire",
        f"--repo={repo}",
        f"--repo{repo}-retention-full={ALL_FULLS}",
        f"--repo{repo}-retention-archive-type=full",
        f"--repo{repo}-retention-archive={fulls}",
        *_dry(dry_run),
        "--log-level-console=info",
    ]


def verify(repo: int) -> list[str]:
    """Read every file of a repository; the messages name the files that are bad."""
    return [
        *_PROGRAM,
        "verify",
        f"--repo={repo}",
        "--output=text",
        "--verbose",
        # A damaged file is as damaged at the next try, and each costs 15 s.
        "--job-retry=0",
        "--log-level-console=info",
    ]


def stanza_create() -> list[str]:
    """Make the stanza in every repository; one that is there stays as it is."""
    return [*_PROGRAM, "stanza-create"]


def check() -> list[str]:
    """Archive one segment into every repository and wait for it."""
    return [*_PROGRAM, "check"]


def _dry(dry_run: bool) -> list[str]:
    return ["--dry-run"] if dry_run else []
