# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dashboard shows for one app: panels with queries that Prometheus can be asked."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboard import Dashboard
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import Settings
from ansible_collections.golive.cutover.plugins.module_utils._monitor.words import expression, plain_text, words


def shown(dashboard: Dashboard, settings: Settings) -> Dashboard:
    """With its expressions filled in, and without queries, panels and marks of what is not there."""
    there, known = settings.components(), {**words(settings), "name": settings.app}
    panels = []
    for panel in dashboard.panels:
        queries = tuple(
            replace(query, expr=expression(chosen, known))
            for query in panel.queries
            if query.needs in there
            for chosen in (query.cnpg if query.cnpg and settings.database == "cnpg" else query.expr,)
        )
        if queries:
            panels.append(replace(panel, text=plain_text(panel.text, settings), queries=queries))
    marks = tuple(replace(mark, expr=expression(mark.expr, known)) for mark in dashboard.marks if mark.needs in there)
    return replace(dashboard, title=f"{settings.app}: {dashboard.title}", panels=tuple(panels), marks=marks)
