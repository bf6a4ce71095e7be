# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a dump into a repository, sealed, and back; and prove that what is there is what was brought.

The passphrase opens ``key.age``: a key as age writes keys, with the SHA-256 of the manifest as a comment. The key opens
the manifest, which has the SHA-256 of the sealed dump. So nothing can be changed, swapped or taken from another dump by
somebody who does not know the passphrase, and the program age alone opens a dump.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ansible_collections.golive.cutover.plugins.module_utils._backup.dump_objects import KEY, name_of
from ansible_collections.golive.cutover.plugins.module_utils._backup.sealing import (
    new_key,
    seal,
    seal_short,
    unseal,
    unseal_short,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._backup.store_stream import Download, Upload
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_folder import (
    DUMP,
    DumpFolder,
    Manifest,
    create_file,
    settle,
    sha256_of,
    write_manifest,
)

_FORMAT = 1
_KEY_FILE = re.compile(
    r"# golive dump (?P<name>\S+)\n# objects (?P<word>[0-9a-f]{16})\n"
    r"# manifest (?P<sha256>[0-9a-f]{64})\n(?P<key>\S+)\n"
)


@dataclass(frozen=True)
class Opened:
    """A stored dump; ``manifest`` is that of ``db_dump``, ``bytes`` and ``sha256`` are of the sealed object."""

    name: str
    manifest: Manifest
    object: str
    bytes: int
    sha256: str
    key: str = field(repr=False)


def put_dump(call: Call, store: Store, folder: DumpFolder, manifest: Manifest, passphrase: str) -> None:
    """Bring the dump of this manifest from ``folder`` into the repository, which has none of that name.

    Raises GoliveError ``dump_damaged`` when reading it back from the store gives other bytes, ``changed`` when somebody
    else has brought one meanwhile, and as the store. What a failed one leaves, an expiry removes.
    """
    name = str(manifest["name"])
    word = secrets.token_hex(8)
    private, public = new_key()
    dump, listing = name_of(name, f"{word}.dump.age"), name_of(name, f"{word}.manifest.age")
    try:
        with (folder.of(name) / DUMP).open("rb") as file, Upload(store, dump, manifest["bytes"]) as sent:
            seal(_Told(call, file, f"sealing {name}", manifest["bytes"]), sent, [public])
        _read_back(call, store, dump, sent)
        content = {
            "format": _FORMAT,
            "dump": manifest,
            "object": {"name": dump, "bytes": sent.size, "sha256": sent.sha256},
        }
        sealed = io.BytesIO()
        seal(io.BytesIO(json.dumps(content, sort_keys=True).encode()), sealed, [public])
        store.put(listing, sealed.getvalue())
        sha256 = hashlib.sha256(sealed.getvalue()).hexdigest()
        key = f"# golive dump {name}\n# objects {word}\n# manifest {sha256}\n{private}\n"
        store.put_if_none(name_of(name, KEY), seal_short(key.encode(), passphrase))
    except GoliveError:
        for one in (dump, listing):
            # The failure before it is the one to tell; expiry removes what has no key.
            with suppress(GoliveError):
                store.delete(one)
        raise


def open_dump(store: Store, name: str, passphrase: str) -> Opened | None:
    """What the repository has of this name; None without it.

    Raises GoliveError ``seal_broken`` when the passphrase does not open it, ``dump_damaged`` when a part is missing
    or not what the key says, and as the store.
    """
    sealed = store.get_or_none(name_of(name, KEY))
    if sealed is None:
        return None
    text = unseal_short(sealed.data, passphrase, f"the key of the dump {name}").decode("utf-8", "replace")
    found = _KEY_FILE.fullmatch(text)
    if found is None or found["name"] != name:
        raise _damaged(name, "its key is of another dump")
    listing = store.get_or_none(name_of(name, f"{found['word']}.manifest.age"))
    if listing is None or hashlib.sha256(listing.data).hexdigest() != found["sha256"]:
        raise _damaged(name, "its manifest is missing" if listing is None else "its manifest is not what was written")
    plain = io.BytesIO()
    unseal(io.BytesIO(listing.data), plain, found["key"], f"the manifest of the dump {name}")
    content: Mapping[str, Any] = json.loads(plain.getvalue())
    if content["format"] != _FORMAT:
        raise _damaged(name, f"its manifest has the format {content['format']}, this version knows {_FORMAT}")
    one = content["object"]
    return Opened(name, content["dump"], one["name"], one["bytes"], one["sha256"], found["key"])


def check_dump(call: Call, store: Store, opened: Opened) -> None:
    """Read and open every byte. Raises GoliveError ``dump_damaged``, ``seal_broken``, and as the store."""
    _open_into(call, store, opened, _Counted(None))


def fetch_dump(call: Call, store: Store, opened: Opened, folder: DumpFolder, wait_s: float) -> None:
    """Bring a stored dump into ``folder``, as ``db_dump`` has left it; nothing is there unless all of it is right.

    Raises as ``check_dump`` and the folder.
    """
    with folder.locked(call, wait_s), folder.making(opened.name) as partial:
        with create_file(partial / DUMP) as file:
            _open_into(call, store, opened, _Counted(file))
            settle(file)
        write_manifest(partial, opened.manifest)


def local_manifest(call: Call, folder: DumpFolder, name: str) -> Manifest:
    """The manifest of a dump that is what it says. Raises GoliveError ``not_found`` and ``dump_damaged``."""
    manifest = folder.manifest(name)
    if manifest is None:
        raise GoliveError(
            "not_found",
            f"There is no dump {name} in {folder.path}.",
            "Take one with db_dump, or check directory and name.",
        )
    if sha256_of(call, folder.of(name) / DUMP) != manifest["sha256"]:
        raise _damaged(name, f"its file in {folder.path} is not what was written")
    return manifest


def _open_into(call: Call, store: Store, opened: Opened, target: _Counted) -> None:
    entry = store.head(opened.object)
    size = entry.size if entry else 0
    if size != opened.bytes:
        raise _damaged(opened.name, f"{opened.object} has {size} bytes instead of {opened.bytes}")
    read = Download(store, opened.object, opened.bytes)
    try:
        unseal(_Told(call, read, f"opening {opened.name}", opened.bytes), target, opened.key, f"the dump {opened.name}")
        read.drain()
    except GoliveError as error:
        if error.code == "seal_broken":
            raise _damaged(opened.name, error.message) from error
        raise
    if read.sha256 != opened.sha256 or target.sha256 != opened.manifest["sha256"]:
        raise _damaged(opened.name, "it is not what was written")


def _read_back(call: Call, store: Store, name: str, sent: Upload) -> None:
    read = Download(store, name, sent.size)
    told = _Told(call, read, "reading it back", sent.size)
    while told.read():
        pass
    if (read.size, read.sha256) != (sent.size, sent.sha256):
        raise GoliveError(
            "dump_damaged",
            f"Reading {name} back from {store.place} gave other bytes than were written.",
            "Look at the store; nothing in it is believed.",
        )


class _Told:
    """A source that tells how far it is."""

    def __init__(self, call: Call, source: Any, text: str, total: int) -> None:
        self._call = call
        self._source = source
        self._text = text
        self._total = total
        self._done = 0

    def read(self, size: int = -1) -> bytes:
        self._call.alive()
        piece: bytes = self._source.read(size)
        self._done += len(piece)
        self._call.progress(f"{self._text}, {self._done / 1e6:.0f} MB", self._done, self._total)
        return piece


class _Counted:
    """A target that keeps the sum of what it gets, and gives it on where there is somewhere."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        if self._file is not None:
            self._file.write(data)
        return len(data)


def _damaged(name: str, reason: str) -> GoliveError:
    return GoliveError(
        "dump_damaged", f"The stored dump {name} cannot be used: {reason}.", "Use another one, and look at the store."
    )
