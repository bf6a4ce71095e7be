# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys of a kubeconfig: read into memory once, so that no file of them stays behind.

The ``kubernetes`` library writes what a kubeconfig holds into files, because ``ssl`` reads a client's key from files
only, and takes them away when the interpreter ends in order. A worker of Ansible never does.
"""

from __future__ import annotations

import shutil
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# The library keeps the names of its files for the whole process.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def short_lived_folder() -> Iterator[str]:
    """A private folder for the library's files, gone at the end; one thread at a time has one."""
    with _ONE_AT_A_TIME:
        folder = tempfile.mkdtemp(prefix="golive-")
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def tls_context(configuration: Any) -> ssl.SSLContext:
    """What a ``kubernetes`` configuration says of TLS, with its files read.

    Raises OSError, also as ssl.SSLError, for a file that is missing or no certificate or key.
    """
    context = ssl.create_default_context(
        cafile=configuration.ssl_ca_cert or None, cadata=getattr(configuration, "ca_cert_data", None)
    )
    if getattr(configuration, "disable_strict_ssl_verification", False):
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.assert_hostname is False or not configuration.verify_ssl:
        context.check_hostname = False
    if not configuration.verify_ssl:
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
