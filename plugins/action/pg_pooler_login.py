# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the login of a pooler, in process where the task is local; the module documents it."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.modules import pg_pooler_login
from ansible_collections.golive.cutover.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    """See ``plugins/modules/pg_pooler_login.py``."""

    verb = pg_pooler_login
