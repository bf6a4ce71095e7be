# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment and the working directory a module would have had."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def surroundings(environment: Mapping[str, str], directory: str) -> Iterator[None]:
    """Set variables and directory, and put both back: the items of a loop and all retries share one worker."""
    variables = dict(os.environ)
    # A descriptor finds the way back even to a directory that was renamed or removed.
    origin = os.open(".", os.O_RDONLY)
    try:
        os.environ.update(environment)
        os.chdir(directory)
        yield
    finally:
        os.environ.clear()
        os.environ.update(variables)
        os.fchdir(origin)
        os.close(origin)
