# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a container image as an OCI layout archive, without a container engine and the same bytes for the same input.

The layout is that of the OCI image specification 1.1; the reference is stored as `io.containerd.image.name`
and `org.opencontainers.image.ref.name`, so that containerd, Podman and kind import it under its full name.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

EPOCH = "1970-01-01T00:00:00Z"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}


@dataclass(frozen=True)
class File:
    """One entry of a layer given as a mapping. `content` is bytes, text, or the path of a file to copy.

    A `link` makes a symbolic link, `directory` an empty directory; owner and group are numbers.
    """

    content: bytes | str | Path = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    link: str | None = None
    directory: bool = False


Entry: TypeAlias = "File | bytes | str | Path"
Layer: TypeAlias = "str | os.PathLike[str] | Mapping[str, Entry]"


def write_image(
    archive_path: str | os.PathLike[str],
    reference: str,
    layers: Sequence[Layer],
    config: Mapping[str, Any] | None = None,
    owners: Mapping[str, tuple[int, int]] | None = None,
) -> str:
    """Writes the archive atomically and returns the digest of its manifest, `sha256:…`.

    layers: lowest first; each is a directory (copied with its modes, every file owned by root) or a mapping of
        absolute path to File, bytes, text, or Path (a file on disk, copied with its execute bits).
    config: the fields of the image config, e.g. Env (list or mapping), Entrypoint, Cmd, User, WorkingDir,
        ExposedPorts (list of "8080/tcp", or mapping).
    owners: path inside the image to (uid, gid), for itself and everything below it.
    """
    target = Path(archive_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    blobs: list[tuple[str, Path | bytes]] = []
    layer_files: list[Path] = []
    try:
        descriptors = []
        for number, layer in enumerate(layers):
            layer_file = partial.with_name(f"{partial.name}.{number}")
            layer_files.append(layer_file)
            digest, size = _write_layer(layer_file, layer, owners or {})
            descriptors.append(_descriptor("application/vnd.oci.image.layer.v1.tar", digest, size))
            blobs.append((digest, layer_file))
        machine = os.uname().machine
        image = {
            "created": EPOCH,
            "architecture": ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": _image_config(config or {}),
            "rootfs": {"type": "layers", "diff_ids": [item["digest"] for item in descriptors]},
            "history": [{"created": EPOCH, "created_by": "golive"} for _layer in descriptors],
        }
        config_descriptor = _add_json(blobs, image, "application/vnd.oci.image.config.v1+json")
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config_descriptor,
            "layers": descriptors,
        }
        manifest_descriptor = _add_json(blobs, manifest, "application/vnd.oci.image.manifest.v1+json")
        manifest_descriptor["platform"] = {"architecture": image["architecture"], "os": "linux"}
        manifest_descriptor["annotations"] = {
            "io.containerd.image.name": full_reference(reference),
            "org.opencontainers.image.ref.name": full_reference(reference),
        }
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [manifest_descriptor],
        }
        with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive:
            _add_bytes(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            _add_bytes(archive, "index.json", _json(index))
            for digest, blob in dict(blobs).items():
                _add_blob(archive, f"blobs/{digest.replace(':', '/')}", blob)
        os.replace(partial, target)
        return str(manifest_descriptor["digest"])
    finally:
        for path in [partial, *layer_files]:
            path.unlink(missing_ok=True)


def read_index(archive_path: str | os.PathLike[str]) -> dict[str, str]:
    """References of an OCI or docker archive: reference to manifest digest ("" when the archive does not tell)."""
    with tarfile.open(archive_path, "r:*") as archive:
        for member in archive:
            if member.name not in ("index.json", "manifest.json"):
                continue
            handle = archive.extractfile(member)
            document = json.load(handle) if handle else {}
            if member.name == "manifest.json":
                return {full_reference(tag): "" for item in document for tag in item.get("RepoTags") or []}
            found: dict[str, str] = {}
            for item in document.get("manifests", []):
                notes = item.get("annotations", {})
                name = notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name")
                if name:
                    found[full_reference(name)] = item["digest"]
            return found
    return {}


def full_reference(reference: str) -> str:
    """`name` gets the tag `latest`; a tag or digest given is kept."""
    last = reference.rsplit("/", 1)[-1]
    return reference if ":" in last or "@" in reference else f"{reference}:latest"


def _write_layer(path: Path, layer: Layer, owners: Mapping[str, tuple[int, int]]) -> tuple[str, int]:
    with open(path, "wb") as raw:
        writer = _HashingWriter(raw)
        with tarfile.open(fileobj=writer, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as archive:
            if isinstance(layer, Mapping):
                _add_mapping(archive, layer, owners)
            else:
                _add_directory(archive, Path(layer), owners)
    return f"sha256:{writer.hash.hexdigest()}", writer.size


class _HashingWriter(io.RawIOBase):
    def __init__(self, raw: IO[bytes]) -> None:
        self.raw, self.hash, self.size = raw, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self.raw.write(data)


def _add_mapping(archive: tarfile.TarFile, layer: Mapping[str, Entry], owners: Mapping[str, tuple[int, int]]) -> None:
    entries = {_inside(path): _file(entry) for path, entry in layer.items()}
    for path in list(entries):
        for parent in Path(path).parents:
            if str(parent) != ".":
                entries.setdefault(str(parent), File(mode=0o755, directory=True))
    for path in sorted(entries):
        entry = entries[path]
        info = _header(path, entry.mode)
        info.uid, info.gid = _owner(path, owners, (entry.uid, entry.gid))
        if entry.directory:
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
        elif entry.link is not None:
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
            archive.addfile(info)
        elif isinstance(entry.content, Path):
            info.size = entry.content.stat().st_size
            with open(entry.content, "rb") as handle:
                archive.addfile(info, handle)
        else:
            data = entry.content.encode() if isinstance(entry.content, str) else entry.content
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def _add_directory(archive: tarfile.TarFile, root: Path, owners: Mapping[str, tuple[int, int]]) -> None:
    seen: dict[tuple[int, int], str] = {}
    paths = []
    for folder, directories, files in os.walk(root):
        paths += [Path(folder, name) for name in directories + files]
    for path in sorted(paths):
        name = path.relative_to(root).as_posix()
        status = path.lstat()
        info = _header(name, stat.S_IMODE(status.st_mode))
        info.uid, info.gid = _owner(name, owners, (0, 0))
        if path.is_symlink():
            info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
            archive.addfile(info)
        elif path.is_dir():
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
        elif path.is_file():
            inode = (status.st_dev, status.st_ino)
            if status.st_nlink > 1 and inode in seen:
                info.type, info.linkname = tarfile.LNKTYPE, seen[inode]
                archive.addfile(info)
                continue
            seen[inode] = name
            info.size = status.st_size
            with open(path, "rb") as handle:
                archive.addfile(info, handle)


def _file(entry: Entry) -> File:
    if isinstance(entry, File):
        return entry
    if isinstance(entry, Path):
        return File(entry, 0o755 if os.access(entry, os.X_OK) else 0o644)
    return File(entry)


def _inside(path: str) -> str:
    name = os.path.normpath(path).lstrip("/")
    if name.split("/", 1)[0] in ("..", ".", ""):
        raise ValueError(f"{path!r} is not a path inside the image")
    return name


def _owner(path: str, owners: Mapping[str, tuple[int, int]], default: tuple[int, int]) -> tuple[int, int]:
    best = ""
    for prefix in owners:
        wanted = prefix.strip("/")
        if (path == wanted or path.startswith(f"{wanted}/")) and len(prefix) > len(best):
            best = prefix
    return owners[best] if best else default


def _header(name: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = mode, 0
    return info


def _image_config(config: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(config)
    if isinstance(result.get("Env"), Mapping):
        result["Env"] = [f"{name}={value}" for name, value in result["Env"].items()]
    ports = result.get("ExposedPorts")
    if ports is not None and not isinstance(ports, Mapping):
        result["ExposedPorts"] = {str(port): {} for port in ports}
    return result


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _add_json(blobs: list[tuple[str, Path | bytes]], document: Any, media_type: str) -> dict[str, Any]:
    data = _json(document)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    blobs.append((digest, data))
    return _descriptor(media_type, digest, len(data))


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = _header(name, 0o644)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def _add_blob(archive: tarfile.TarFile, name: str, blob: Path | bytes) -> None:
    if isinstance(blob, bytes):
        _add_bytes(archive, name, blob)
        return
    info = _header(name, 0o644)
    info.size = blob.stat().st_size
    with open(blob, "rb") as handle:
        archive.addfile(info, handle)
