# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``unchecked``, in process."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.plugin_utils._in_process import InProcessAction
from ansible_collections.golive.probe.plugins.modules import unchecked


class ActionModule(InProcessAction):
    """See ``plugins/modules/unchecked.py``."""

    verb = unchecked
