# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small root file system from Debian or Ubuntu packages: chosen files and the libraries they load, nothing else."""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.progress import ClusterError, Part, run

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MERGED = ("bin", "sbin", "lib", "lib64")
# Large packages whose files no chosen file loads; the check of the libraries would tell if that changed.
UNUSED = re.compile(
    r"libllvm|libz3|.*perl|locales|libc-l10n|dpkg|openssl|passwd|tar$|adduser|debconf|postgresql-common|ssl-cert|ucf"
    r"|usrmerge"
)


@dataclass(frozen=True)
class Releases:
    """Other releases of Debian than the machine's, from its own mirror.

    All packages come from ``base``, those in ``pinned`` from ``newer``.
    """

    base: str
    newer: str
    pinned: tuple[str, ...]

    def options(self, work: Path) -> list[str]:
        """What makes apt read these and nothing else; raises ClusterError where the machine has no mirror of Debian."""
        mirror = debian_mirror()
        for name, content in self._files(mirror).items():
            (work / name).write_text(content)
        return [
            f"-oDir::Etc::sourcelist={work / 'sources.list'}",
            "-oDir::Etc::sourceparts=/dev/null",
            f"-oDir::Etc::preferences={work / 'preferences'}",
            "-oDir::Etc::preferencesparts=/dev/null",
            # A mirror may keep an index of the newer release that has expired.
            "-oAcquire::Check-Valid-Until=false",
            "-oAPT::Update::Error-Mode=any",
        ]

    def _files(self, mirror: str) -> dict[str, str]:
        newer = f"Pin: release n={self.newer}\nPin-Priority:"
        return {
            "sources.list": "".join(
                f"deb [signed-by={KEYRING}] {mirror} {name} main\n" for name in (self.base, self.newer)
            ),
            "preferences": f"Package: *\n{newer} -1\n\nPackage: {' '.join(self.pinned)}\n{newer} 990\n",
        }


def debian_mirror() -> str:
    """Where this machine's apt reads its own release of Debian from; raises ClusterError on another system."""
    system = platform.freedesktop_os_release()
    columns = "$(REPO_URI) $(RELEASE)"
    for line in run(["apt-get", "indextargets", "--format", columns, "Created-By: Packages"]).splitlines():
        uri, release = line.split()
        if system.get("ID") == "debian" and release == system.get("VERSION_CODENAME"):
            return uri
    raise ClusterError("the apt sources of this machine name no mirror of Debian, which this image is made from")


class Packages:
    """Packages and all they depend on, unpacked into one folder. Needs no root and touches nothing of the machine.

    They are of the machine's own sources unless ``releases`` says otherwise.
    """

    def __init__(self, work: Path, current: Part, releases: Releases | None = None) -> None:
        self.work, self.current, self.root, self.releases = work, current, work / "packages", releases
        for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        (work / "status").touch()
        # An empty dpkg status makes apt resolve from nothing; sources and keys stay the machine's own.
        self.options = [
            f"-oDir::State={work / 'state'}",
            f"-oDir::Cache={work / 'cache'}",
            f"-oDir::State::status={work / 'status'}",
            "-oAPT::Install-Recommends=false",
            "-oAPT::Sandbox::User=",
            "-qq",
            *(releases.options(work) if releases else []),
        ]

    def resolve(self, *names: str) -> dict[str, str]:
        """Package to version, of the names and their dependencies."""
        self.current.detail = "reading the package lists"
        try:
            run(["apt-get", *self.options, "update"], timeout=600)
            output = run(["apt-get", *self.options, "install", "--yes", "--print-uris", *names])
        except ClusterError as error:
            if self.releases is None:
                raise
            raise ClusterError(
                f"{' '.join(names)}: the mirror of this machine's apt sources does not offer them in Debian"
                f" {self.releases.base} with {' '.join(self.releases.pinned)} of {self.releases.newer}: {error}"
            ) from error
        found = re.findall(r"^'[^']+' (\S+)_(\S+)_[^_\s]+\.deb ", output, re.MULTILINE)
        return {package: version.replace("%3a", ":") for package, version in found}

    def unpack(self, packages: dict[str, str]) -> None:
        wanted = [f"{package}={version}" for package, version in packages.items() if not UNUSED.match(package)]
        self.current.detail = f"fetching {len(wanted)} packages"
        # `apt-get download` writes into the current directory.
        run(
            ["sh", "-c", 'cd "$0" && exec apt-get "$@"', self.work / "debs", *self.options, "download", *wanted],
            timeout=1200,
        )
        for name in MERGED:
            (self.root / "usr" / name).mkdir(parents=True, exist_ok=True)
            if not (self.root / name).is_symlink():
                (self.root / name).symlink_to(f"usr/{name}")
        for archive in sorted((self.work / "debs").glob("*.deb")):
            # dpkg-deb's own extraction would replace the links of the merged /usr by directories.
            extract = 'dpkg-deb --fsys-tarfile "$0" | tar --extract --keep-directory-symlink --directory "$1"'
            run(["sh", "-c", extract, archive, self.root])
        self._make_links_relative()

    def _make_links_relative(self) -> None:
        """An absolute link would lead to the machine's own file."""
        for path in sorted(self.root.rglob("*")):
            if path.is_symlink() and os.readlink(path).startswith("/"):
                inside = self.root / os.readlink(path).lstrip("/")
                path.unlink()
                path.symlink_to(os.path.relpath(inside, path.parent.resolve()))


class RootFolder:
    """The files of an image, copied out of unpacked packages."""

    def __init__(self, target: Path, packages: Path) -> None:
        self.target, self.packages = target, packages
        for name in MERGED:
            (target / "usr" / name).mkdir(parents=True)
            (target / name).symlink_to(f"usr/{name}")
        for name in ("run", "etc", "dev", "proc", "sys"):
            self.folder(name)
        self.folder("tmp", 0o1777)

    def folder(self, path: str, mode: int = 0o755) -> None:
        (self.target / path).mkdir(parents=True, exist_ok=True)
        (self.target / path).chmod(mode)

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        file = self.target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)

    def link(self, path: str, to: str) -> None:
        (self.target / path).parent.mkdir(parents=True, exist_ok=True)
        (self.target / path).symlink_to(to)

    def copy(self, *paths: str, leave: Iterable[str] = ()) -> None:
        """Copies files and trees, links as links; `leave` are name patterns to leave out."""
        for path in paths:
            source = self.packages / path
            if not source.exists():
                raise ClusterError(f"no package brings /{path}")
            if source.is_dir() and not source.is_symlink():
                shutil.copytree(
                    source, self.target / path, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*leave)
                )
                continue
            (self.target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, self.target / path, follow_symlinks=False)

    def add_libraries(self) -> None:
        """Copies the libraries that the programs and libraries present need, and the loader."""
        loaders = sorted((self.packages / "usr").glob("lib*/**/ld-linux*.so.*"))
        if not loaders:
            raise ClusterError("no dynamic loader among the packages")
        search = ":".join(str(path) for path in sorted((self.packages / "usr" / "lib").glob("*-linux-gnu*")))
        for file in [path for path in sorted(self.target.rglob("*")) if _is_dynamic(path)]:
            listing = run([loaders[0], "--inhibit-cache", "--library-path", search, "--list", file], check=False)
            for name, place in re.findall(r"^\s*(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$", listing, re.MULTILINE):
                if not place.startswith(str(self.packages)):
                    raise ClusterError(f"/{file.relative_to(self.target)} needs {name}, which no package brings")
                self._add_library(Path(place))
        for loader in {path.resolve() for path in loaders}:
            self._add_library(loader)
        for loader in loaders:
            place = self.target / loader.relative_to(self.packages)
            if not place.exists() and loader.is_symlink():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(os.readlink(loader))

    def _add_library(self, library: Path) -> None:
        content = library.resolve()
        for path in (content, library):
            place = self.target / path.parent.resolve().relative_to(self.packages) / path.name
            if place.exists() or place.is_symlink():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place, follow_symlinks=False)

    def readable_by_all(self) -> None:
        """Any user of a read-only root may read and enter everything; nobody but root may write."""
        for path in sorted(self.target.rglob("*")):
            if path.is_symlink():
                continue
            mode = stat.S_IMODE(path.lstat().st_mode)
            if not mode & 0o1000:
                path.chmod((mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0)) & 0o755)


def _is_dynamic(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as handle:
        return handle.read(4) == b"\x7fELF"
