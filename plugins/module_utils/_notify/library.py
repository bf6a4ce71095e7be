# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library ``apprise``, which may be missing where a module runs."""

from __future__ import annotations

from typing import Any

try:
    import apprise
except ImportError:
    apprise = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError


def need_apprise() -> Any:
    """The module apprise. Raises GoliveError ``library_missing``."""
    if apprise is None:
        raise GoliveError(
            "library_missing",
            "The Python library apprise is missing.",
            "Install it for the Python that runs this task: pip install 'apprise>=2.3'.",
        )
    return apprise
