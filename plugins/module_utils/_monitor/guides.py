# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbook texts of all alerts, by the alert's name."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.golive.cutover.plugins.module_utils._monitor import (
    guide_app,
    guide_kubernetes,
    guide_postgres,
    guide_rest,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import Guide

GUIDES: Mapping[str, Guide] = {
    **guide_app.GUIDES,
    **guide_kubernetes.GUIDES,
    **guide_postgres.GUIDES,
    **guide_rest.GUIDES,
}
