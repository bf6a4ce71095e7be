# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin pooled requests to the Kubernetes API.

Configuration, authentication and exec plugins come from the ``kubernetes`` library; requests go straight to its
connection pool, because its dynamic client costs 0.4 s to start and sends one request after the other.
"""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, overload
from urllib.parse import quote, urlencode

try:
    import kubernetes
    import kubernetes.client
    import urllib3
except ImportError:
    kubernetes = None  # type: ignore[assignment] # None stands for a missing library
    urllib3 = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.built_in import namespaced_plural
from ansible_collections.golive.cutover.plugins.module_utils._kube.credentials import load_credentials
from ansible_collections.golive.cutover.plugins.module_utils._kube.refusals import api_error
from ansible_collections.golive.cutover.plugins.module_utils._kube.tls import short_lived_folder, tls_context

Item = TypeVar("Item")
Result = TypeVar("Result")
Results = list  # inside the class ``list`` is a method

JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

# Size of the connection pool; more threads would only wait for each other.
MOST_THREADS = 32
_PAGE = 500
_TRIES = 6
# Of work that is more than one request.
_TRIES_OF_WORK = 4
_PASSING = ("busy", "server_error", "unreachable")
_RETRY_STATUS = (429, 500, 502, 503, 504)
_CONNECT_S = 5.0
_READ_S = 30.0
_LONGEST_RETRY_S = 10.0


class Client:
    """One connection pool to one cluster. Safe to use from several threads."""

    def __init__(self, call: Call, api_client: Any, tls: ssl.SSLContext) -> None:
        self._call = call
        self._api = api_client
        self._tls = tls
        self._configuration = api_client.configuration
        self._pool = api_client.rest_client.pool_manager
        self._kinds: dict[str, dict[str, dict[str, Any]]] = {}

    @property
    def host(self) -> str:
        """URL of the API server."""
        return str(self._configuration.host).rstrip("/")

    @property
    def configuration(self) -> Any:
        """The ``kubernetes`` configuration, for streams (port-forward, exec) that need the library itself."""
        return self._configuration

    @property
    def tls(self) -> ssl.SSLContext:
        """TLS of every connection, with the client's certificate."""
        return self._tls

    def undisturbed(self) -> Client:
        """The same connections for cleaning up after an interruption: they no longer ask whether the run is alive."""
        return Client(self._call.for_undo(), self._api, self._tls)

    def time_for(self, seconds: float) -> float:
        """Seconds that one wait for the server may take: ``seconds``, or less when the call's deadline is near.

        Raises GoliveError ``unreachable`` behind the deadline.
        """
        left = self._call.left(seconds)
        if left <= 0:
            raise _unreachable(self.host, "the time for this is over")
        return left

    def server_time(self) -> datetime | None:
        """The API server's clock in UTC, to the second; None when something on the way took its ``Date`` header."""
        stamp = self._send("GET", "/version", None, None, JSON, True, _READ_S).headers.get("Date")
        return parsedate_to_datetime(stamp) if stamp else None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = JSON,
        retry: bool = True,
        timeout: float = _READ_S,
    ) -> dict[str, Any]:
        """Send one request; returns the decoded JSON answer.

        429, 5xx and broken connections are retried with Retry-After or growing waits, unless ``retry`` is False (a
        guarded write must be looked at, never resent). Raises GoliveError with the code of ``api_error``, or
        ``unreachable`` when no answer came.
        """
        answer = self._send(method, path, query, body, content_type, retry, timeout)
        return json.loads(answer.data) if answer.data else {}

    def retried(self, work: Callable[[], Result]) -> Result:
        """Do ``work``, and a few times again, with growing waits, while the server drops it.

        Only for work that may be done twice. Raises what it raises.
        """
        for attempt in range(1, _TRIES_OF_WORK):
            self._call.alive()
            try:
                return work()
            except GoliveError as error:
                waited = _waited(attempt)
                if error.code not in _PASSING or self._call.left(waited) < waited:
                    raise
            self._call.pause(waited)
        return work()

    def text(
        self, path: str, query: Mapping[str, Any] | None = None, *, retry: bool = True, timeout: float = _READ_S
    ) -> str:
        """GET something that is not JSON, such as a pod's log or a metrics page."""
        answer = self._send("GET", path, query, None, JSON, retry, timeout)
        return str(answer.data.decode("utf-8", "replace"))

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """GET one object or list."""
        return self.request("GET", path, query=query)

    def get_or_none(self, path: str) -> dict[str, Any] | None:
        """GET one object; None when it, or its kind, does not exist."""
        try:
            return self.get(path)
        except GoliveError as error:
            if error.code == "not_found":
                return None
            raise

    @overload
    def list(self, path: str, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Every item."""

    @overload
    def list(self, path: str, query: Mapping[str, Any] | None = None, *, most: int) -> list[dict[str, Any]] | None:
        """None when there are more."""

    def list(
        self, path: str, query: Mapping[str, Any] | None = None, *, most: int | None = None
    ) -> list[dict[str, Any]] | None:
        """All items of a collection, page by page, each with the ``kind`` and ``apiVersion`` that lists leave out.

        None as soon as it is known that there are more than ``most``.
        """
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self.get(path, {**(query or {}), "limit": _PAGE, **({"continue": token} if token else {})})
            kind = str(page.get("kind", "")).removesuffix("List")
            items.extend({"apiVersion": page.get("apiVersion"), "kind": kind, **item} for item in page["items"] or [])
            about = page.get("metadata") or {}
            token = about.get("continue") or ""
            if most is not None and len(items) + (about.get("remainingItemCount") or bool(token)) > most:
                return None
            if not token:
                return items

    @contextmanager
    def stream(self, path: str, query: Mapping[str, Any], quiet_s: float) -> Iterator[Any]:
        """An open GET whose body is read line by line; a silence of ``quiet_s`` ends it with a urllib3 error."""
        answer = self._pool.request(
            "GET",
            self._url(path, query),
            headers=self._headers(JSON),
            preload_content=False,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=quiet_s),
        )
        try:
            if answer.status >= 400:
                raise api_error("GET", path, answer.status, answer.read(decode_content=True))
            yield answer
        finally:
            answer.close()
            answer.release_conn()

    def path_of(self, api_version: str, kind: str, namespace: str | None = None, name: str | None = None) -> str:
        """URL path of an object, or of its collection without ``name``.

        Raises GoliveError ``kind_unknown`` when the server does not serve that kind.
        """
        plural, namespaced = namespaced_plural(api_version, kind), True
        if plural is None:
            resource = self.resource(api_version, kind)
            plural, namespaced = resource["name"], resource["namespaced"]
        path = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        if namespaced and namespace:
            path += f"/namespaces/{quote(namespace, safe='')}"
        path += f"/{plural}"
        return f"{path}/{quote(name, safe='')}" if name else path

    def resource(self, api_version: str, kind: str) -> dict[str, Any]:
        """What discovery says of a kind: ``name`` (plural), ``namespaced``, ``verbs``."""
        kinds = self._kinds.get(api_version)
        if kinds is None or kind not in kinds:
            kinds = self._kinds[api_version] = self._discover(api_version)
        if kind not in kinds:
            raise GoliveError(
                "kind_unknown",
                f"The cluster does not know the kind {kind} of {api_version}.",
                "Install the CustomResourceDefinition first, or put it into the same set.",
            )
        return kinds[kind]

    def known(self, api_version: str, kind: str) -> dict[str, Any] | None:
        """The same without an error: None when the server does not serve that kind, as far as was learnt."""
        if api_version not in self._kinds:
            self._kinds[api_version] = self._discover(api_version)
        return self._kinds[api_version].get(kind)

    def learn(self, api_versions: Iterable[str], threads: int = 8) -> None:
        """Ask side by side, and anew, what is served in these versions."""
        asked = sorted(api_versions)
        self._kinds.update(zip(asked, self.map(self._discover, asked, threads), strict=True))

    def map(self, work: Callable[[Item], Result], items: Iterable[Item], threads: int = 8) -> Results[Result]:
        """Run ``work`` for every item on a few threads; results in order.

        The first error is raised once the work under way has ended; what had not begun is not begun any more.
        """
        rows = list(items)
        if len(rows) < 2 or threads < 2:
            return [work(row) for row in rows]
        with ThreadPoolExecutor(max_workers=min(threads, len(rows))) as pool:
            jobs = [pool.submit(work, row) for row in rows]
            try:
                return [job.result() for job in jobs]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _discover(self, api_version: str) -> dict[str, dict[str, Any]]:
        path = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        found = self.get_or_none(path) or {"resources": []}
        return {row["kind"]: row for row in found["resources"] if "/" not in row["name"]}

    def _url(self, path: str, query: Mapping[str, Any] | None) -> str:
        asked = {key: _query_text(value) for key, value in (query or {}).items() if value is not None}
        return f"{self.host}{path}" + (f"?{urlencode(asked)}" if asked else "")

    def _headers(self, content_type: str) -> dict[str, str]:
        headers = {"Accept": JSON, "Content-Type": content_type, "User-Agent": "golive.cutover"}
        for setting in self._configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        return headers

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        content_type: str,
        retry: bool,
        timeout: float,
    ) -> Any:
        url = self._url(path, query)
        data = None if body is None else json.dumps(body).encode()
        tries = _TRIES if retry else 1
        trouble: GoliveError | None = None
        for attempt in range(1, tries + 1):
            self._call.alive()
            waited = _waited(attempt)
            try:
                answer = self._pool.request(
                    method,
                    url,
                    body=data,
                    headers=self._headers(content_type),
                    retries=False,
                    timeout=urllib3.Timeout(self.time_for(_CONNECT_S + timeout), connect=_CONNECT_S, read=timeout),
                )
            except urllib3.exceptions.HTTPError as error:
                if _refused_certificate(error):
                    raise _unreachable(self.host, error) from error
                trouble = _unreachable(self.host, error)
            else:
                if answer.status < 400:
                    return answer
                trouble = api_error(method, path, answer.status, answer.data)
                if answer.status not in _RETRY_STATUS or trouble.code not in _PASSING:
                    raise trouble
                waited = _retry_after(answer.headers.get("Retry-After")) or waited
            if attempt == tries or self._call.left(waited) < waited:
                break
            self._call.pause(waited)
        raise trouble or GoliveError("internal", f"{method} {path} was never sent.")


@contextmanager
def connected(call: Call) -> Iterator[Client]:
    """A client for the ``kube_spec`` options of ``call``.

    Raises GoliveError ``library_missing``, ``kubeconfig_missing``, ``kubeconfig_invalid`` or ``credentials_missing``.
    Nothing is sent yet.
    """
    if kubernetes is None:
        raise GoliveError(
            "library_missing",
            "The Python library kubernetes is missing.",
            "Install it for the Python that runs this task: pip install kubernetes.",
        )
    with short_lived_folder() as folder:
        api_client, tls = _api_client(call, folder)
    try:
        yield Client(call, api_client, tls)
    finally:
        api_client.rest_client.pool_manager.clear()
        api_client.close()


def _api_client(call: Call, folder: str) -> tuple[Any, ssl.SSLContext]:
    params = call.params
    configuration = kubernetes.client.Configuration()
    if params.get("host"):
        configuration.host = params["host"]
        configuration.ssl_ca_cert = params.get("ca_cert")
        if params.get("api_key"):
            configuration.api_key = {"authorization": f"Bearer {params['api_key']}"}
    else:
        load_credentials(configuration, call, folder)
    configuration.verify_ssl = params.get("validate_certs", True) and configuration.verify_ssl
    configuration.connection_pool_maxsize = MOST_THREADS
    configuration.retries = False
    try:
        tls = tls_context(configuration)
    except OSError as error:
        raise _bad_certificates(configuration.host, error) from error
    api_client = kubernetes.client.ApiClient(configuration)
    asked = api_client.rest_client.pool_manager.connection_pool_kw
    for setting in ("ca_certs", "ca_cert_data", "cert_file", "key_file"):
        asked.pop(setting, None)
    asked["ssl_context"] = tls
    return api_client, tls


def _bad_certificates(host: str, error: Exception) -> GoliveError:
    return GoliveError(
        "kubeconfig_invalid",
        f"Could not read the certificates for {host}: {error}",
        "PEM is needed for ca_cert and, in a kubeconfig, certificate-authority, client-certificate and client-key.",
    )


def _unreachable(host: str, error: Exception | str) -> GoliveError:
    return GoliveError(
        "unreachable",
        f"No answer from the API server {host}: {error}",
        "Check that the cluster runs, that the address is right and that its certificate is trusted.",
    )


def _refused_certificate(error: Exception) -> bool:
    """Whether this side did not trust the server; any other trouble of TLS may pass, as a broken connection does."""
    cause = error.args[0] if isinstance(error, urllib3.exceptions.SSLError) and error.args else None
    return isinstance(cause, (ssl.SSLCertVerificationError, urllib3.util.ssl_match_hostname.CertificateError))


def _waited(attempt: int) -> float:
    """Seconds to wait after a failed attempt, counted from 1; jitter keeps several runs apart."""
    longest: float = min(_LONGEST_RETRY_S, 0.2 * 2**attempt)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not cryptography


def _retry_after(value: str | None) -> float:
    return min(float(value), _LONGEST_RETRY_S) if value and value.isdigit() else 0.0


def _query_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
