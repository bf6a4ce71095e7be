# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library ``cryptography``, which may be missing or too old where a module runs."""

from __future__ import annotations

try:
    import cryptography
except ImportError:
    cryptography = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# The first whose certificates give their dates with a time zone.
_OLDEST = 42


def need_cryptography() -> None:
    """Raise GoliveError ``library_missing`` unless certificates can be made and read."""
    found = None if cryptography is None else cryptography.__version__
    if found is None or int(found.partition(".")[0]) < _OLDEST:
        raise GoliveError(
            "library_missing",
            f"The Python library cryptography {'is missing' if found is None else f'{found} is too old'}.",
            f"Install it for the Python that runs this task: pip install 'cryptography>={_OLDEST}'.",
        )
