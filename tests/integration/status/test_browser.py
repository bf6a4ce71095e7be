# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page in a real browser: readable, in its colours, and without a complaint."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import status_page
from tests.browser import look_at

# Of its own style.
UP, DOWN = "#1a7f37", "#cf222e"


def write(folder: Path, **samples: bool) -> Path:
    looked = [{"name": name, "ok": ok} for name, ok in samples.items()]
    given = {"output": str(folder), "title": "Status of <shop>", "incidents": None, "days": 90, "samples": looked}
    return Path(status_page.run(call_for_tests(given))["page"])


def test_the_page_is_drawn_as_it_is_meant(tmp_path: Path) -> None:
    well = look_at(write(tmp_path / "well", Shop=True, Search=True), tmp_path)
    assert "Status of <shop>" in well.text
    assert "✓ Everything works" in well.text
    assert (well.has(UP), well.has(DOWN), well.complaints) == (True, False, [])
    ill = look_at(write(tmp_path / "ill", Shop=True, Search=False), tmp_path)
    assert "✕ Not working: Search" in ill.text
    assert (ill.has(UP), ill.has(DOWN), ill.complaints) == (True, True, [])


def test_what_was_put_into_the_page_is_refused_and_seen(tmp_path: Path) -> None:
    page = write(tmp_path / "well", Shop=True)
    page.write_text(
        page.read_text().replace("--good:#1a7f37", "--good:#0000ff").replace("<main>", "<script>1</script><main>")
    )
    changed = look_at(page, tmp_path)
    # The policy of the page lets through what it was written with, and nothing else.
    assert not changed.has("#0000ff")
    assert any("style" in one for one in changed.complaints)
    assert any("script" in one for one in changed.complaints)
