# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of how long backups stay."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``retention_spec`` of ``module_utils/_backup/retention_spec.py``."""

    DOCUMENTATION = r"""
options:
  retention:
    description: What stays, for O(state=expired). The newest full backup, the newest one that a restore has proved,
      held ones, and whatever those need stay always. Each dump is a full backup.
    type: dict
    suboptions:
      pitr:
        description: Days of which everything stays; where WAL is archived, one can restore to any time of them.
        type: float
        default: 30
      weekly:
        description: Days for which a full backup of each week stays.
        type: float
        default: 90
      monthly:
        description: Days for which a full backup of each month stays.
        type: float
        default: 365
      most_share:
        description: The largest part of all backups that one run may remove; when more would go, none does.
        type: float
        default: 0.3
      alarm_hours:
        description: When the newest backup is older than so many hours, nothing is removed.
        type: float
        default: 26
"""
