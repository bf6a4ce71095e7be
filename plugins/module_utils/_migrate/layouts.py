# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layouts of a directory of migrations, by the tool that made them."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_alembic import read_alembic
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_flyway import read_flyway
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_native import read_directory
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_pairs import read_pairs
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_sections import read_dbmate, read_goose
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_sqitch import read_sqitch

NATIVE = "native"
_READERS: dict[str, Callable[[str], list[Migration]]] = {
    NATIVE: read_directory,
    "flyway": read_flyway,
    "goose": read_goose,
    "dbmate": read_dbmate,
    "golang_migrate": read_pairs,
    "sqitch": read_sqitch,
}
ALEMBIC = "alembic"
LAYOUTS = (*_READERS, ALEMBIC)


def read_layout(path: str, layout: str = NATIVE, alive: Callable[[], None] = lambda: None) -> list[Migration]:
    """All migrations of a directory in one of ``LAYOUTS``, in order; ``alive`` as in ``Call``.

    Raises GoliveError ``files_missing`` or ``files_invalid``, and what a layout's reader says.
    """
    if layout == ALEMBIC:
        return read_alembic(path, alive)
    return _READERS[layout](path)
