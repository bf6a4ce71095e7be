# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw what a Prometheus has measured, in process where the task is local; the module documents it."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.modules import monitor_page
from ansible_collections.golive.cutover.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    """See ``plugins/modules/monitor_page.py``."""

    verb = monitor_page
