# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log, as the tests of kube_apply have it."""

from __future__ import annotations

from tests.e2e.kube_apply.conftest import audit

__all__ = ["audit"]
