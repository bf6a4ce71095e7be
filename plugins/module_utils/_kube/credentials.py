# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kubeconfig, or the pod that the task runs in, says of the API server and of who asks it.

A kubeconfig may name a program that gives the credentials (``exec``, KEP 541). The ``kubernetes`` library waits for it
without a limit, and goes on without credentials when it fails: the error then is a 401 that tells nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

try:
    import kubernetes.config
    import yaml
except ImportError:
    kubernetes = None  # type: ignore[assignment] # whoever connects has reported it
    yaml = None  # type: ignore[assignment] # see above

# Programs of clouds ask a server; a person who has to log in does not answer here.
_LIMIT_S = 60.0


def load_credentials(configuration: Any, call: Call, folder: str) -> None:
    """Fill a ``kubernetes`` configuration by ``kubeconfig`` and ``context`` of ``call``; ``folder`` takes its files.

    Without either, KUBECONFIG and the library's own place are read, then what a pod is given. Raises GoliveError
    ``kubeconfig_missing``, ``kubeconfig_invalid`` or ``credentials_missing``, for a program that fails or is silent.
    """
    kubeconfig, context = call.params.get("kubeconfig"), call.params.get("context")
    errors = kubernetes.config.config_exception.ConfigException
    # The library reads KUBECONFIG when it is imported; the task's own environment is known only now.
    file = kubeconfig or os.environ.get("KUBECONFIG") or None
    try:
        with _complaints() as said:
            _limited(
                call,
                lambda: kubernetes.config.load_kube_config(  # type: ignore[no-untyped-call] # untyped in the library
                    config_file=file,
                    context=context,
                    client_configuration=configuration,
                    persist_config=False,
                    temp_file_path=folder,
                ),
            )
    except yaml.YAMLError as error:
        # Its own text may quote a token.
        raise _bad_kubeconfig(file, ValueError("it is not YAML")) from error
    except (errors, OSError, TypeError, KeyError, ValueError, AttributeError) as error:
        if kubeconfig or context:
            raise _bad_kubeconfig(kubeconfig, error) from error
        try:
            kubernetes.config.load_incluster_config(  # type: ignore[no-untyped-call] # untyped in the library
                client_configuration=configuration
            )
        except errors:
            raise _bad_kubeconfig(kubeconfig, error) from error
        return
    if said and not configuration.api_key and not configuration.cert_file:
        raise _no_credentials(" ".join(said))
    _limit_renewal(configuration, call)


def _limit_renewal(configuration: Any, call: Call) -> None:
    """A token that has run out is asked for anew before a request: by the same program, with the same limit.

    Whoever sends the request has asked whether the run is alive; what cleans up behind a run that is not needs it, too.
    """
    renew = configuration.refresh_api_key_hook
    if renew is not None:
        configuration.refresh_api_key_hook = lambda asked: _limited(call.for_undo(), lambda: renew(asked))


def _limited(call: Call, work: Callable[[], Any]) -> None:
    """Do ``work`` on a thread; the programs that it has started end with the limit, or with the run."""
    ended = threading.Event()
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=run, name="credentials", daemon=True)
    thread.start()
    limit = call.left(_LIMIT_S)
    try:
        if not call.wait(ended, limit):
            raise _no_credentials(f"There was no answer within {limit:.0f} s.")
    finally:
        if not ended.is_set():
            _end_programs(thread.native_id)
    if raised:
        raise raised[0]


def _end_programs(thread: int | None) -> None:
    """End what a thread of this process has started, and what that has; where there is no /proc it is left."""
    for pid in _started_by(Path(f"/proc/self/task/{thread}")):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _started_by(task: Path) -> Iterator[int]:
    with suppress(OSError):
        for pid in (task / "children").read_text().split():
            for other in Path(f"/proc/{pid}/task").iterdir():
                yield from _started_by(other)
            yield int(pid)


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the library logs meanwhile: of a program that fails it says nothing else."""
    said: list[str] = []

    class _Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name == "root":
                said.append(record.getMessage())

    handler = _Kept(logging.ERROR)
    logging.getLogger().addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger().removeHandler(handler)


def _no_credentials(reason: str) -> GoliveError:
    return GoliveError(
        "credentials_missing",
        f"The program that the kubeconfig names gave no credentials for the cluster. {reason}",
        "Run kubectl with the same kubeconfig as the same user; log in anew where it asks for that.",
    )


def _bad_kubeconfig(kubeconfig: str | None, error: Exception) -> GoliveError:
    where = f"the kubeconfig {kubeconfig}" if kubeconfig else "a kubeconfig"
    return GoliveError(
        "kubeconfig_invalid" if kubeconfig else "kubeconfig_missing",
        f"Could not use {where}: {error}",
        "Name a readable file in kubeconfig, an existing context in context, or set KUBECONFIG.",
    )
