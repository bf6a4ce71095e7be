# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page in a real browser, without a screen: what it says, which colours it has, and what the browser complains of."""

from __future__ import annotations

import fcntl
import re
import shutil
import struct
import subprocess
import zlib
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_PACKAGES = _ROOT / "tests" / "setup" / "packages"
_NAMES = ("chromium", "google-chrome", "chrome")
_SIZE = (1100, 900)
_COMPLAINT = re.compile(r":CONSOLE[:(].*?\] (.*)")
_START_S = 120

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Seen:
    """``text`` of the page after it was built, pixels by ``colours``, and ``complaints`` of the console."""

    text: str
    colours: Counter[Colour]
    complaints: list[str]

    def has(self, colour: str) -> bool:
        """Whether a colour as CSS writes it, ``#1a7f37``, fills at least a few pixels."""
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        return self.colours[(red, green, blue)] > 20


def browser() -> str:
    """The program; Debian's is installed when there is none. Skips the test where there is no package of one."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found:
        return found
    known = shutil.which("apt-cache") and subprocess.run(
        ["apt-cache", "show", "chromium"], check=False, capture_output=True
    )
    if not known or known.returncode:
        pytest.skip("no browser is here, and no package of one")
    # Tests that run side by side ask for it at the same time, and apt lets in only one.
    lock = _ROOT / "build" / "packages.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        subprocess.run([_PACKAGES, "chromium"], check=True)
    return "chromium"


def look_at(page: Path, folder: Path) -> Seen:
    """Open a file in the browser; ``folder`` takes its profile and the picture."""
    built = _run(page, folder, "--dump-dom")
    reader = _Text()
    reader.feed(built.stdout)
    picture = folder / "page.png"
    drawn = _run(page, folder, f"--screenshot={picture}")
    complaints = [found[1] for log in (built.stderr, drawn.stderr) for found in _COMPLAINT.finditer(log)]
    return Seen(" ".join(reader.text.split()), _colours(picture.read_bytes()), complaints)


def _run(page: Path, folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            browser(),
            "--headless",
            # A container has neither user namespaces nor much shared memory; the page is our own.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={_SIZE[0]},{_SIZE[1]}",
            what,
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=_START_S,
    )


class _Text(HTMLParser):
    """Collects what a reader sees of the markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.text += data + " "


def _colours(picture: bytes) -> Counter[Colour]:
    """Pixels by colour of a PNG with 8 bits a channel (PNG specification, 9.2 for the filters)."""
    data, place, width, channels = b"", 8, 0, 0
    while place < len(picture):
        length, kind = struct.unpack(">I4s", picture[place : place + 8])
        body = picture[place + 8 : place + 8 + length]
        place += length + 12
        if kind == b"IHDR":
            width, _height, depth, colours = struct.unpack(">IIBB", body[:10])
            assert (depth, colours in (2, 6)) == (8, True)
            channels = 3 if colours == 2 else 4
        if kind == b"IDAT":
            data += body
    raw, size = zlib.decompress(data), width * channels
    found: Counter[Colour] = Counter()
    above = bytearray(size)
    for start in range(0, len(raw), size + 1):
        row = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + size]), above, channels)
        found.update(zip(row[0::channels], row[1::channels], row[2::channels], strict=True))
        above = row
    return found


def _unfiltered(kind: int, row: bytearray, above: bytearray, channels: int) -> bytearray:
    for place in range(len(row)) if kind else ():
        left = row[place - channels] if place >= channels else 0
        corner = above[place - channels] if place >= channels else 0
        up = above[place]
        if kind == 4:
            guess = left + up - corner
            add = min((left, up, corner), key=lambda one: abs(guess - one))
        else:
            add = {1: left, 2: up, 3: (left + up) // 2}[kind]
        row[place] = (row[place] + add) & 0xFF
    return row
