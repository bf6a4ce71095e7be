# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exporter as one file that Python runs."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from ansible_collections.golive.cutover.plugins.module_utils._monitor import exporter
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_bundle import program


def exporter_archive(given: Sequence[str]) -> str:
    """A zip archive, in Base64, with all it imports of this collection; ``given`` are modules with ``SOURCES``."""
    return base64.b64encode(program(exporter.__name__, given)).decode()
