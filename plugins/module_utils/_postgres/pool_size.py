# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many connections to a server each pod of a pooler may open.

Sources: PostgreSQL documentation 20.3 for superuser_reserved_connections; the alert PostgresConnectionsHigh of this
collection, which fires at 0.8 of what is left.
"""

from __future__ import annotations

# superuser_reserved_connections, which no other login gets.
_RESERVED = 3
# The rest is for migrations, backups and monitoring, which go past the pooler.
_SHARE = 0.8
# Those that ask for passwords, in each pod.
ASKING = 2


def pool_size(max_connections: int, pods: int) -> int:
    """floor(0.8 * (max_connections - 3) / (pods + 1)) - 2: one more pod stands there while they are replaced.

    Raises ValueError when that leaves a pod none.
    """
    size = int(_SHARE * (max_connections - _RESERVED) / (pods + 1)) - ASKING
    if size < 1:
        raise ValueError(
            f"{pods} pods of a pooler are too many for a server with max_connections {max_connections}: name fewer, or"
            " give the server more memory or connections"
        )
    return size
