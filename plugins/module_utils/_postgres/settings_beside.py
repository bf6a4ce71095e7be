# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a server reads together with its settings, such as pg_hba.conf and its certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# What is shown of a certificate is the digest of its DER form, as everywhere.
_LOOK = """
SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.pg_read_binary_file(%s, 0, 1048576, true)), 'hex') AS content,
    pg_catalog.encode(pg_catalog.sha256(pg_catalog.decode(pg_catalog.substring(pg_catalog.convert_from(
        pg_catalog.pg_read_binary_file(%s, 0, 1048576, true), 'UTF8'),
        '-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=[:space:]]+)-----END CERTIFICATE-----'), 'base64')), 'hex')
        AS certificate,
    (pg_catalog.pg_stat_file(%s, true)).modification > pg_catalog.pg_conf_load_time() AS newer"""


@dataclass(frozen=True)
class Beside:
    """A file by the SHA-256 of what it shall hold: of all of it, or of the first certificate in it."""

    path: str
    sha256: str | None = None
    certificate_sha256: str | None = None


def unread(session: Session, files: Sequence[Beside]) -> list[str]:
    """Paths of those that are not as wanted, or that the server has not read since they are."""
    seen = [(one, _look(session, one)) for one in files]
    return [one.path for one, row in seen if not _holds(one, row) or row["newer"]]


def await_beside(session: Session, files: Sequence[Beside]) -> Done[None] | Pending:
    """Whether all of them hold what they shall."""
    missing = [one.path for one in files if not _holds(one, _look(session, one))]
    return Pending(f"{', '.join(missing)} not yet the new one") if missing else Done(None)


def _holds(one: Beside, seen: Mapping[str, object]) -> bool:
    return one.sha256 in (None, seen["content"]) and one.certificate_sha256 in (None, seen["certificate"])


def _look(session: Session, one: Beside) -> dict[str, object]:
    return dict(session.rows(_LOOK, (one.path, one.path, one.path))[0])
