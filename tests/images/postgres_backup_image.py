# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The postgres image with pgBackRest, from releases of Debian that have both new enough.

What the backups need is in no stable release: bookworm has pgBackRest 2.45, trixie 2.55. That of sid runs on trixie's
libraries but for libxml2.
"""

from __future__ import annotations

from . import debian, postgres_image
from .kept import kept
from .recipes import Entries

RELEASES = debian.Releases(base="trixie", newer="sid", pinned=("pgbackrest", "libxml2-16"))
NAME = "postgres-backup"


def build() -> Entries:
    """Returns the manifest entry of the image, keyed by its reference."""
    sources = (__file__, postgres_image.__file__, postgres_image.ENTRYPOINT)
    programs = {"pgbackrest": "usr/bin/pgbackrest"}
    return kept(
        NAME, sources, lambda work, archive: postgres_image.write_server(NAME, work, archive, RELEASES, programs)
    )
