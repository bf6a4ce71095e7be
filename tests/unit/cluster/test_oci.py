# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from tests.cluster import oci

LAYER = {"/bin/app": oci.File(b"x", mode=0o755), "/etc/name": "text", "/etc/link": oci.File(link="name")}
CONFIG = {"Env": {"A": "1"}, "Entrypoint": ["/bin/app"], "ExposedPorts": ["80/tcp"], "User": "1000"}


def _layer_names(archive: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(archive) as outer:
        index = json.load(_member(outer, "index.json"))
        manifest = json.load(_member(outer, _blob(index["manifests"][0]["digest"])))
        with tarfile.open(fileobj=_member(outer, _blob(manifest["layers"][-1]["digest"]))) as inner:
            return {member.name: member for member in inner}


def _member(archive: tarfile.TarFile, name: str):
    handle = archive.extractfile(name)
    assert handle is not None
    return handle


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def test_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = oci.write_image(tmp_path / "a.tar", "golive.test/app:1", [LAYER], CONFIG)
    second = oci.write_image(tmp_path / "b.tar", "golive.test/app:1", [LAYER], CONFIG)
    assert first == second
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert oci.write_image(tmp_path / "c.tar", "golive.test/app:1", [{**LAYER, "/new": "y"}], CONFIG) != first


def test_directory_times_and_owners_do_not_matter(tmp_path: Path) -> None:
    digests = []
    for number, moment in enumerate((1_000_000, 2_000_000)):
        folder = tmp_path / f"root{number}"
        (folder / "usr").mkdir(parents=True)
        (folder / "usr" / "file").write_text("same")
        os.utime(folder / "usr" / "file", (moment, moment))
        digests.append(oci.write_image(tmp_path / f"{number}.tar", "app", [folder]))
    assert digests[0] == digests[1]


def test_owners_apply_below_a_path_and_everything_else_is_roots(tmp_path: Path) -> None:
    oci.write_image(tmp_path / "a.tar", "app", [LAYER], owners={"/etc": (5, 6)})
    members = _layer_names(tmp_path / "a.tar")
    assert (members["etc/name"].uid, members["etc/name"].gid) == (5, 6)
    assert (members["bin/app"].uid, members["bin/app"].gid) == (0, 0)
    assert members["bin"].isdir()
    assert members["etc/link"].linkname == "name"


def test_hard_links_of_a_directory_stay_links(tmp_path: Path) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "one").write_text("data")
    os.link(folder / "one", folder / "two")
    oci.write_image(tmp_path / "a.tar", "app", [folder])
    assert _layer_names(tmp_path / "a.tar")["two"].islnk()


def test_index_names_the_image(tmp_path: Path) -> None:
    digest = oci.write_image(tmp_path / "a.tar", "golive.test/app", [LAYER], CONFIG)
    assert oci.read_index(tmp_path / "a.tar") == {"golive.test/app:latest": digest}


def test_nothing_stays_behind_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        oci.write_image(tmp_path / "a.tar", "app", [LAYER, {"/gone": tmp_path / "missing"}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../etc/passwd", "..", "/"])
def test_paths_outside_of_the_image_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside the image"):
        oci.write_image(tmp_path / "a.tar", "app", [{path: "x"}])


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("app", "app:latest"),
        ("host:5000/app", "host:5000/app:latest"),
        ("app:1", "app:1"),
        ("a@sha256:1", "a@sha256:1"),
    ],
)
def test_full_reference(given: str, full: str) -> None:
    assert oci.full_reference(given) == full
