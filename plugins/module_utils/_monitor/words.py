# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills the words of an expression in for one app."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.golive.cutover.plugins.module_utils._monitor.bounds import BOUNDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import Settings
from ansible_collections.golive.cutover.plugins.module_utils._monitor.sources import SOURCES

_WORD = re.compile(r"\$([A-Za-z]\w*)")
_IN_TEXT = re.compile(r"\$(name|pgcluster)\b")


def words(settings: Settings) -> Mapping[str, str]:
    """Every word of the expressions with what it stands for."""
    app, cluster = settings.app, f'cluster="{settings.cluster}",' if settings.cluster else ""
    namespace = f'{cluster}namespace="{settings.namespace}"'
    claims = (
        f"{settings.pgcluster}-[0-9]+(-wal)?" if settings.database == "cnpg" else f"data-{settings.pgcluster}-[0-9]+"
    )
    return {
        **{name: number(settings.bound(name)) for name in BOUNDS},
        **SOURCES.get(settings.metrics, {}),
        "A": "by (cluster, namespace, app)",
        "P": "by (cluster, namespace, pgcluster)",
        "N": "by (cluster, namespace)",
        "ns": namespace,
        "app": f'{namespace},app="{app}"',
        "pg": f'{namespace},pgcluster="{settings.pgcluster}"',
        "pods": f'"{app}-(blue|green)-.+"',
        "deployments": f'"{app}-(blue|green)"',
        "mine": f'"{app}|{app}-(blue|green|postgres)(-.+)?"',
        "claims": f'"{settings.claims or claims}"',
        # Two tries of the archiver, and never less than eight scrapes.
        "archive_window": f"{max(120, 2 * settings.archive_timeout)}s",
        "restore_window": f"{number(settings.bound('restore_seconds'))}s",
        "standbys": number(settings.standbys),
        "requests_rate": number(settings.requests_rate),
    }


def expression(text: str, known: Mapping[str, str]) -> str:
    """The expression with its words filled in; a word may stand for others."""
    while _WORD.search(text):
        text = _WORD.sub(lambda found: known[found.group(1)], text)
    return text


def plain_text(text: str, settings: Settings) -> str:
    """A text for people; the words of Prometheus' own templates stay."""
    return _IN_TEXT.sub(lambda found: settings.app if found.group(1) == "name" else settings.pgcluster, text)


def number(value: float) -> str:
    """As PromQL reads it, without an exponent."""
    return f"{value:.10f}".rstrip("0").rstrip(".")
