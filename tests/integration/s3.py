# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real S3 server with TLS on loopback: versitygw over a folder, in which an object is a plain file.

``python3 -m tests.integration.s3`` puts the program into the cache.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from ssl import create_default_context
from typing import Any

import boto3
from botocore.config import Config

from ansible_collections.golive.cutover.plugins.module_utils._certificates.issue import new_authority, new_certificate
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import key_pem
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import certificates_pem
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import Wish
from tests.images import programs
from tests.integration.postgres import free_port

ACCESS_KEY = "golive-test-key"
SECRET_KEY = "only-for-this-store-51d7"
REGION = "us-east-1"
HEALTH = "/healthz"
_START_S = 30


@dataclass(frozen=True)
class Tls:
    """PEM texts: what clients trust, and what the server shows."""

    ca: str
    certificate: str
    key: str


def new_tls(*names: str) -> Tls:
    """A certificate for DNS names and addresses, from an authority of its own."""
    now = datetime.now(timezone.utc)
    authority = new_authority("golive-test-s3", "ecdsa-p256", now, 30, ())
    wish = Wish("", "", "", 30, names, ("server",), 30, 1, "ecdsa-p256", {}, False, False, False)
    certificate, key = new_certificate(wish, authority, now)
    return Tls(certificates_pem([authority.certificate]), certificates_pem([certificate]), key_pem(key).decode())


@dataclass
class S3Server:
    """A running server; ``folder(bucket)`` is where a bucket's objects lie as files."""

    directory: Path
    tls: Tls
    port: int
    versions: bool = False
    process: subprocess.Popen[bytes] | None = None
    buckets: list[str] = field(default_factory=list)

    @classmethod
    def create(cls, *buckets: str, versions: bool = False) -> S3Server:
        """Start one with these buckets and wait until it answers; with ``versions`` buckets may keep versions."""
        directory = Path(tempfile.mkdtemp(prefix="golive-s3-"))
        server = cls(directory, new_tls("localhost", "127.0.0.1"), free_port(), versions)
        try:
            for name in ("data", "versions"):
                (directory / name).mkdir()
            for name, text in (("ca.crt", server.tls.ca), ("tls.crt", server.tls.certificate)):
                (directory / name).write_text(text)
            (directory / "tls.key").write_text(server.tls.key)
            server.start()
            for bucket in buckets:
                server.client().create_bucket(Bucket=bucket)
        except BaseException:
            server.remove()
            raise
        return server

    @property
    def endpoint(self) -> str:
        """Host and port, as the option ``endpoint`` of a repository takes them."""
        return f"localhost:{self.port}"

    @property
    def ca(self) -> Path:
        """The file of the authority that clients must trust."""
        return self.directory / "ca.crt"

    def folder(self, bucket: str) -> Path:
        """Where the bucket's objects lie as files."""
        return self.directory / "data" / bucket

    def client(self, secret_key: str = SECRET_KEY) -> Any:
        """A boto3 client that knows nothing of our own code."""
        return s3_client(f"https://{self.endpoint}", str(self.ca), secret_key)

    def locked_bucket(self, name: str) -> str:
        """Make a bucket that keeps versions and honours locks; needs ``versions``."""
        self.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        return name

    def start(self) -> None:
        """Start it, with what its folder holds."""
        programs.ensure(programs.VERSITYGW_SERVER)
        # versitygw changes its directory: all paths are absolute. Keep-alive stays off, it breaks small puts.
        command = [str(programs.VERSITYGW_SERVER.path), "--quiet", "--health", HEALTH, "--region", REGION]
        command += ["--port", f"127.0.0.1:{self.port}"]
        command += ["--cert", str(self.directory / "tls.crt"), "--key", str(self.directory / "tls.key"), "posix"]
        command += ["--versioning-dir", str(self.directory / "versions")] * self.versions
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, str(self.directory / "data")],
                env={**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY},
                cwd=self.directory,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + _START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"versitygw did not start:\n{(self.directory / 'log').read_text()[-2000:]}")
            threading.Event().wait(0.02)

    def freeze(self) -> None:
        """Let it hang: connections open, nothing is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the process; the objects stay."""
        self.thaw()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def remove(self) -> None:
        """End it and delete everything."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        context = create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(f"https://{self.endpoint}{HEALTH}", timeout=2, context=context) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def s3_client(url: str, ca: str, secret_key: str = SECRET_KEY) -> Any:
    """A boto3 client of path style for the tests' own look at a store; ``ca`` is a file."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret_key,
        verify=ca,
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=10,
            read_timeout=30,
            retries={"max_attempts": 3, "mode": "standard"},
        ),
    )


if __name__ == "__main__":
    programs.ensure(programs.VERSITYGW_SERVER)
    print(programs.VERSITYGW_SERVER.path)
