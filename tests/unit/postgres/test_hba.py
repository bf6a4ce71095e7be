# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of pg_hba.conf: which are refused, and what is said of them."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._postgres.hba import hba_faults
from tests.hba_lines import REFUSED, TAKEN


@pytest.mark.parametrize("line", TAKEN)
def test_taken(line: str) -> None:
    assert hba_faults([line]) == []


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line: str) -> None:
    (fault,) = hba_faults([line])
    assert fault.startswith(repr(line))


def test_all_at_once_and_why() -> None:
    lines = [
        "hostssl shop anna 10.0.0.5 scram-sha-256",
        "hostssl shop anna 10.0.0.0/8 cert",
        "host shop @friends 10.0.0.0/8 md5",
        "host shop a all md5\nhost all all all trust",
        'host shop "a all md5',
    ]
    needs, names, breaks, quote = hba_faults(lines)
    assert "10.0.0.5 needs a mask, such as 10.0.0.5/32" in needs
    assert "it names a file" in names
    assert "a line break" in breaks
    assert "a quotation mark is not closed" in quote
