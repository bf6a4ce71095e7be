# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a dump's text does not depend on where its pieces end."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_content import DumpContent

# As pg_restore --data-only writes it; rows hold what could be taken for an end, and the last table has none.
NOTES = "1\tone\n2\t\\\\.\n3\t\\\\.x\n\\N\tCOPY a.b (c) FROM stdin;\n"
TEXT = (
    "SET client_encoding = 'UTF8';\n\n-- Data for Name: notes; Type: TABLE DATA; Schema: public; Owner: shop\n\n"
    f"COPY public.notes (id, body) FROM stdin;\n{NOTES}\\.\n\n"
    f'COPY "Odd schema"."a ""b"".c\n(d" (x) FROM stdin;\n{"ü" * 3}\n\n\\.\n\n'
    "COPY public.nothing  FROM stdin;\n\\.\n\n\nSELECT pg_catalog.setval('public.notes_id_seq', 3, true);\n"
).encode()
WANTED = [
    ("public", "notes", 4, hashlib.sha256(NOTES.encode()).hexdigest()),
    ("Odd schema", 'a "b".c\n(d', 2, hashlib.sha256("üüü\n\n".encode()).hexdigest()),
    ("public", "nothing", 0, hashlib.sha256(b"").hexdigest()),
]


def read(*pieces: bytes) -> DumpContent:
    content = DumpContent()
    for piece in pieces:
        content.feed(piece)
    return content


def rows(content: DumpContent) -> list[tuple[str, str, int, str]]:
    return [(one.schema, one.name, one.rows, one.digest.hexdigest()) for one in content.tables]


def test_tables_their_rows_and_digests() -> None:
    content = read(TEXT)
    assert rows(content) == WANTED
    assert content.whole


@given(st.lists(st.integers(0, len(TEXT)), max_size=60).map(sorted))
def test_pieces_may_end_anywhere(cuts: list[int]) -> None:
    ends = [*cuts, len(TEXT)]
    content = read(*(TEXT[start:end] for start, end in zip([0, *cuts], ends, strict=True)))
    assert rows(content) == WANTED
    assert content.whole


def test_every_byte_alone() -> None:
    assert rows(read(*(bytes([byte]) for byte in TEXT))) == WANTED


def test_rows_without_an_end_are_not_whole() -> None:
    assert not read(TEXT[: TEXT.index(b"\\.\n")]).whole
