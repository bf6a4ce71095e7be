# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a Job needs to run a verb, as one program: this collection's code, the files, the parameters."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._reach import job_program

_COLLECTION = "ansible_collections.golive.cutover.plugins.module_utils"
_START = "__main__.py"
# A Secret holds 1 MiB of data at most (Kubernetes documentation, Secrets); room is left for its other fields.
PIECE = 900 * 1024
_MOST_PIECES = 16
_MOST_BYTES = 256 << 20
# The same content must give the same archive.
_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """``pieces`` of the archive in their order; ``digest`` is over all of it but the password."""

    pieces: tuple[bytes, ...]
    digest: str


def bundle(main: str, path: str | None, params: Mapping[str, Any], alive: Callable[[], None]) -> Bundle:
    """The program that calls ``main()`` of the module ``main``, with the files below ``path``.

    In ``params`` the option ``postgresql`` says all there is to say.

    Hidden files and what lies in hidden directories is left out. Raises GoliveError ``files_missing``, or
    ``bundle_too_large`` when it does not fit into ``_MOST_PIECES`` Secrets.
    """
    contents = _code(main)
    reach = dict(params["postgresql"])
    if reach.get("sslrootcert"):
        contents[job_program.CERTIFICATE] = _read(Path(reach.pop("sslrootcert")))
    if path is not None:
        contents.update(_files(path, alive))
    told = {**params, "postgresql": {**reach, "password": None}}
    digest = hashlib.sha256(_zipped({**contents, job_program.PARAMS: _json(told)})).hexdigest()
    content = _zipped({**contents, job_program.PARAMS: _json({**params, "postgresql": reach})})
    pieces = tuple(content[at : at + PIECE] for at in range(0, len(content), PIECE))
    if len(pieces) > _MOST_PIECES:
        raise _too_large(path or main, f"packed they are {len(content) / 1e6:.1f} MB", PIECE * _MOST_PIECES)
    return Bundle(pieces, digest)


def program(main: str, given: Sequence[str]) -> bytes:
    """The archive that calls ``main()`` of the module ``main`` with ``SOURCES`` of those in ``given``; only code."""
    names = [f"given_{number}" for number in range(len(given))]
    lines = [f"from {main} import main"]
    lines += [f"from {one} import SOURCES as {name}" for one, name in zip(given, names, strict=True)]
    start = "\n".join([*lines, f"raise SystemExit(main([{', '.join(f'*{name}' for name in names)}]))\n"])
    contents: dict[str, bytes] = {}
    for one in (main, *given):
        contents.update(_code(one))
    return _zipped({**contents, _START: start.encode()})


def _files(path: str, alive: Callable[[], None]) -> dict[str, bytes]:
    root = Path(path)
    found: dict[str, bytes] = {}
    size = 0
    for file in sorted(root.rglob("*")):
        inside = file.relative_to(root)
        if any(part.startswith(".") or part == "__pycache__" for part in inside.parts) or not file.is_file():
            continue
        alive()
        found[job_program.FILES + inside.as_posix()] = content = _read(file)
        size += len(content)
        if size > _MOST_BYTES:
            raise _too_large(path, f"they are more than {_MOST_BYTES / 1e6:.0f} MB", _MOST_BYTES)
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise GoliveError("files_missing", f"Reading {file} failed: {error.strerror or error}.") from error


def _code(main: str) -> dict[str, bytes]:
    """The file that starts, all files of this collection that it imports, and the packages they lie in."""
    found = {_START: f"from {main} import main\nraise SystemExit(main())\n".encode()}
    left, seen = [main], {main}
    while left:
        name = left.pop()
        source = source_of(name)
        if source is None:
            continue
        parts = name.split(".")
        found["/".join(parts) + ".py"] = source
        found.update({"/".join([*parts[:depth], "__init__.py"]): b"" for depth in range(1, len(parts))})
        others = _imports(source) - seen
        seen |= others
        left += others
    return found


def source_of(name: str) -> bytes | None:
    """The text of a module; None for a package, and for a name that is something inside of a module."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    if spec is None or spec.submodule_search_locations is not None:
        return None
    # Every loader that can be here has it: of files, of archives, and Ansible's own, which gives bytes.
    text: str | bytes = spec.loader.get_source(name)  # type: ignore[union-attr]  # see above
    return text if isinstance(text, bytes) else text.encode()


def _imports(source: bytes) -> set[str]:
    """Names of this collection's files that a file imports, and of what it imports from them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_COLLECTION):
            found.add(str(node.module))
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            archive.writestr(zipfile.ZipInfo(name, _WHEN), contents[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _too_large(path: str, said: str, most: float) -> GoliveError:
    return GoliveError(
        "bundle_too_large",
        f"Sending the files in {path} into the cluster was refused: {said}, and {most / 1e6:.0f} MB fit.",
        "Take files that are not needed out of the directory, and load large data in another way.",
    )
