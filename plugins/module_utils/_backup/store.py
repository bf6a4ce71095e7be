# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An S3 bucket below one path: any endpoint, path style, an authority of its own, conditional writes, versions.

Names are relative to the path. Nothing is retried that may not be done twice.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

try:
    import botocore.config
    import botocore.exceptions
    import botocore.session
except ImportError:
    botocore = None  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._backup.store_errors import answered, unanswered
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

Result = TypeVar("Result")

_CONNECT_S = 10.0
_ANSWER_S = 30.0
_PAGE = 1000
_TRIES = 4
_FIRST_WAIT_S = 0.2
# A connection that the store has ended, or an answer that asks to come again.
_PASSING = ("store_busy", "store_broken")
# What is read whole is small: records, canaries, info files.
_MOST = 64 << 20
# Nothing of this machine's own AWS configuration may decide where a backup goes.
_UNCONFIGURED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True)
class Keys:
    """What the store knows us by."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Place:
    """Where a repository is: ``endpoint`` is a host, with a port when it is not 443; ``path`` is inside the bucket."""

    endpoint: str
    bucket: str
    region: str
    path: str = ""
    uri_style: str = "path"

    @property
    def prefix(self) -> str:
        """What the name of each of its objects begins with."""
        path = self.path.strip("/")
        return f"{path}/" if path else ""

    def __str__(self) -> str:
        return f"{self.bucket}/{self.prefix.rstrip('/')} at {self.endpoint}".replace("/ at ", " at ")


@dataclass(frozen=True)
class Entry:
    """An object of a listing; ``size`` in bytes, ``modified`` is the store's time of the last write in UTC."""

    name: str
    size: int
    modified: datetime
    etag: str = ""


@dataclass(frozen=True)
class Version:
    """One version of an object; a ``marker`` has no content and says that the object was deleted then."""

    name: str
    version: str
    size: int
    modified: datetime
    latest: bool
    marker: bool


@dataclass(frozen=True)
class Unfinished:
    """An object that was begun in parts and not ended; ``begun`` is the store's time in UTC."""

    name: str
    upload: str
    begun: datetime


@dataclass(frozen=True)
class Content:
    """An object that was read whole; ``etag`` is for ``put_if_match``."""

    data: bytes = field(repr=False)
    etag: str


class Store:
    """One repository's objects. Leave it as a context manager: it keeps the authority in a file meanwhile.

    ``ca`` is PEM text and takes the place of the machine's authorities; ``proxy`` is the URL of an HTTP proxy;
    ``answer_s`` is how long one answer may take. Errors are GoliveError with the codes of ``store_errors``, or
    ``library_missing``.
    """

    def __init__(
        self,
        call: Call,
        place: Place,
        keys: Keys,
        *,
        ca: str | None = None,
        proxy: str | None = None,
        answer_s: float = _ANSWER_S,
    ) -> None:
        need_botocore()
        self.place = place
        self._call = call
        self._ca_file = _written(ca) if ca else None
        try:
            self._client = _client(place, keys, self._ca_file, proxy, answer_s)
        except BaseException as error:
            self.close()
            if isinstance(error, (botocore.exceptions.BotoCoreError, ValueError)):
                raise GoliveError("invalid", f"Cannot use the store {place}: {error}") from error
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file of the authority."""
        if self._ca_file:
            with suppress(FileNotFoundError):
                os.unlink(self._ca_file)

    def list(self, below: str = "") -> Iterator[Entry]:
        """Every object whose name begins with ``below``, in the order of names; a page is asked for when it is needed.

        A listing that breaks off raises: what was given until then is never all of it.
        """
        token: dict[str, str] = {}
        while True:
            page = self._asked("Listing", below, partial(self._client.list_objects_v2, **self._all(below), **token))
            for row in page.get("Contents") or []:
                yield Entry(self._name(row["Key"]), int(row["Size"]), row["LastModified"], row.get("ETag", ""))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": self._next(below, page, "NextContinuationToken")}

    def folders(self, below: str) -> tuple[str, ...]:
        """Names of the folders directly below ``below``, which ends with ``/``."""
        found: tuple[str, ...] = ()
        token: dict[str, str] = {}
        while True:
            asked = {**self._all(below), **token, "Delimiter": "/"}
            page = self._asked("Listing", below, partial(self._client.list_objects_v2, **asked))
            rows = [self._name(row["Prefix"]) for row in page.get("CommonPrefixes") or []]
            found += tuple(name.removeprefix(below).rstrip("/") for name in rows)
            if not page.get("IsTruncated"):
                return found
            token = {"ContinuationToken": self._next(below, page, "NextContinuationToken")}

    def head(self, name: str) -> Entry | None:
        """What a listing would say of one object; None when it is not there."""
        try:
            seen = self._asked("Looking at", name, lambda: self._client.head_object(**self._one(name)))
        except GoliveError as error:
            if error.code == "not_found":
                return None
            raise
        return Entry(name, int(seen["ContentLength"]), seen["LastModified"], seen.get("ETag", ""))

    def get(self, name: str, version: str | None = None) -> Content:
        """A whole object, or one version of it. Raises ``not_found``, and ``too_large`` beyond 64 MiB."""
        more = {"VersionId": version} if version else {}
        return self._asked("Reading", name, lambda: self._read(name, more))

    def get_or_none(self, name: str) -> Content | None:
        """A whole object; None when it is not there."""
        try:
            return self.get(name)
        except GoliveError as error:
            if error.code == "not_found":
                return None
            raise

    def get_range(self, name: str, start: int, size: int) -> bytes:
        """``size`` bytes from ``start``; fewer at the end of the object. Raises ``not_found``, ``store_refused``."""
        part = {"Range": f"bytes={start}-{start + size - 1}"}
        return self._asked("Reading", name, lambda: self._read(name, part)).data

    def put(self, name: str, data: bytes) -> str:
        """Write an object, whatever was there; its etag."""
        return self._etag(self._asked("Writing", name, lambda: self._put(name, data)))

    def put_if_none(self, name: str, data: bytes) -> str:
        """Write an object where there is none; its etag. Raises ``changed`` when there is one with other content."""
        return self._put_on_condition(name, data, {"IfNoneMatch": "*"})

    def put_if_match(self, name: str, data: bytes, etag: str) -> str:
        """Overwrite the object that ``etag`` was read of; its new etag. Raises ``changed`` when it is another one."""
        return self._put_on_condition(name, data, {"IfMatch": etag})

    def begin_upload(self, name: str) -> str:
        """Begin an object that is written in parts; its id. Nothing is there until ``end_upload``."""
        begun = self._asked("Writing", name, lambda: self._client.create_multipart_upload(**self._one(name)))
        return str(begun["UploadId"])

    def put_part(self, name: str, upload: str, number: int, data: bytes) -> str:
        """Write one part, from 1; its etag. All but the last have at least 5 MiB."""
        part = {"UploadId": upload, "PartNumber": number, "Body": data}
        return self._etag(self._asked("Writing", name, lambda: self._client.upload_part(**self._one(name), **part)))

    def end_upload(self, name: str, upload: str, parts: Sequence[str]) -> None:
        """Make one object of all parts, by their etags in their order, under a name that nobody else uses."""
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(parts, 1)]
        whole = {"UploadId": upload, "MultipartUpload": {"Parts": listed}}
        try:
            self._asked("Writing", name, lambda: self._client.complete_multipart_upload(**self._one(name), **whole))
        except GoliveError as error:
            # An answer that was lost was a yes: then the parts are gone, and the object is there.
            if error.code != "not_found" or self.head(name) is None:
                raise

    def drop_upload(self, name: str, upload: str) -> None:
        """Remove the parts of an object that does not come about. What stays in spite of it, ``uploads`` shows."""
        with suppress(GoliveError):
            self._once("Deleting", name, lambda: self._abort(name, upload))

    def uploads(self, below: str = "") -> tuple[Unfinished, ...]:
        """Objects that somebody has begun and not ended, such as a killed run."""
        found: tuple[Unfinished, ...] = ()
        token: dict[str, str] = {}
        asked = {"Bucket": self.place.bucket, "Prefix": self.place.prefix + below, "MaxUploads": _PAGE}
        while True:
            page = self._asked("Listing", below, partial(self._client.list_multipart_uploads, **asked, **token))
            rows = page.get("Uploads") or []
            found += tuple(Unfinished(self._name(row["Key"]), str(row["UploadId"]), row["Initiated"]) for row in rows)
            if not page.get("IsTruncated"):
                return found
            token = {"KeyMarker": self._next(below, page, "NextKeyMarker")}
            token["UploadIdMarker"] = self._next(below, page, "NextUploadIdMarker")

    def remove_upload(self, name: str, upload: str) -> None:
        """Remove the parts of an object that nobody ends any more."""
        self._asked("Deleting", name, lambda: self._abort(name, upload))

    def put_locked(self, name: str, data: bytes, until: datetime) -> str:
        """Write a version that nobody may delete before ``until``; its version id, empty where the store gives none."""
        lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        # Not twice: each would be a version of its own.
        done = self._once("Writing", name, lambda: self._put(name, data, lock))
        return str(done.get("VersionId") or "")

    def lock(self, name: str, version: str, until: datetime) -> None:
        """Change until when a version may not be deleted; a store should refuse to shorten it."""
        lock = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
        more = {"VersionId": version, "Retention": lock}
        self._once("Locking", name, lambda: self._client.put_object_retention(**self._one(name), **more))

    def locked_until(self, name: str, version: str) -> datetime | None:
        """Until when a version may not be deleted; None when it is not locked."""
        try:
            read = partial(self._client.get_object_retention, **self._one(name), VersionId=version)
            until: datetime = self._asked("Looking at", name, read)["Retention"]["RetainUntilDate"]
        except GoliveError as error:
            if error.code == "not_found":
                return None
            raise
        return until

    def delete(self, name: str) -> None:
        """Remove an object; where the bucket keeps versions its content stays behind a marker."""
        self._asked("Deleting", name, lambda: self._client.delete_object(**self._one(name)))

    def delete_version(self, name: str, version: str, *, bypass: bool = False) -> None:
        """Remove one version for good; ``bypass`` asks to ignore a lock of the kind that may be ignored."""
        more = {"VersionId": version, **({"BypassGovernanceRetention": True} if bypass else {})}
        self._once("Deleting", name, lambda: self._client.delete_object(**self._one(name), **more))

    def versions(self, below: str = "") -> Iterator[Version]:
        """Every version and marker of the objects whose name begins with ``below``."""
        token: dict[str, str] = {}
        while True:
            page = self._asked(
                "Listing", below, partial(self._client.list_object_versions, **self._all(below), **token)
            )
            for kind in ("Versions", "DeleteMarkers"):
                for row in page.get(kind) or []:
                    yield Version(
                        self._name(row["Key"]),
                        str(row["VersionId"]),
                        int(row.get("Size") or 0),
                        row["LastModified"],
                        bool(row["IsLatest"]),
                        kind == "DeleteMarkers",
                    )
            if not page.get("IsTruncated"):
                return
            token = {"KeyMarker": self._next(below, page, "NextKeyMarker")}
            if page.get("NextVersionIdMarker"):
                token["VersionIdMarker"] = page["NextVersionIdMarker"]

    def _one(self, name: str) -> dict[str, str]:
        return {"Bucket": self.place.bucket, "Key": self.place.prefix + name}

    def _all(self, below: str) -> dict[str, Any]:
        return {"Bucket": self.place.bucket, "Prefix": self.place.prefix + below, "MaxKeys": _PAGE}

    def _name(self, key: str) -> str:
        return key.removeprefix(self.place.prefix)

    def _next(self, below: str, page: dict[str, Any], key: str) -> str:
        if not page.get(key):
            raise GoliveError(
                "store_refused",
                f"Listing {self._where(below)} failed: there is more, and the store does not say where.",
            )
        return str(page[key])

    def _where(self, name: str) -> str:
        return f"{name} in {self.place}" if name else str(self.place)

    def _abort(self, name: str, upload: str) -> None:
        self._client.abort_multipart_upload(**self._one(name), UploadId=upload)

    def _read(self, name: str, more: dict[str, Any]) -> Content:
        answer = self._client.get_object(**self._one(name), **more)
        if int(answer["ContentLength"]) > _MOST:
            answer["Body"].close()
            raise GoliveError("too_large", f"Reading {self._where(name)} failed: it has more than {_MOST >> 20} MiB.")
        return Content(answer["Body"].read(), answer.get("ETag", ""))

    def _put(self, name: str, data: bytes, more: dict[str, Any] | None = None) -> dict[str, Any]:
        done: dict[str, Any] = self._client.put_object(**self._one(name), Body=data, **(more or {}))
        return done

    def _put_on_condition(self, name: str, data: bytes, condition: dict[str, Any]) -> str:
        lost = False
        for attempt in range(_TRIES):
            try:
                return self._etag(self._once("Writing", name, lambda: self._put(name, data, condition)))
            except GoliveError as error:
                # An answer that was lost may have been a yes: what is there now tells.
                if error.code == "changed" and lost:
                    there = self.get_or_none(name)
                    if there is not None and there.data == data:
                        return there.etag
                if error.code not in _PASSING or attempt == _TRIES - 1:
                    raise
                lost = True
            self._call.pause(_FIRST_WAIT_S * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    @staticmethod
    def _etag(done: dict[str, Any]) -> str:
        return str(done.get("ETag", ""))

    def _asked(self, what: str, name: str, work: Callable[[], Result]) -> Result:
        """Do what may be done twice, and do it again when it passes."""
        for attempt in range(_TRIES - 1):
            try:
                return self._once(what, name, work)
            except GoliveError as error:
                if error.code not in _PASSING:
                    raise
            self._call.pause(_FIRST_WAIT_S * 2**attempt)
        return self._once(what, name, work)

    def _once(self, what: str, name: str, work: Callable[[], Result]) -> Result:
        self._call.alive()
        try:
            return work()
        except botocore.exceptions.ClientError as error:
            raise answered(error, what, self._where(name), self._call.date()) from error
        except (botocore.exceptions.BotoCoreError, OSError) as error:
            raise unanswered(error, f"{what} {self._where(name)}", self.place.endpoint) from error


def need_botocore() -> None:
    """Raise GoliveError ``library_missing`` unless a store can be reached."""
    if botocore is None:
        raise GoliveError(
            "library_missing",
            "The Python library botocore is missing.",
            "Install it for the Python that runs this task: pip install 'botocore>=1.40'.",
        )


def _client(place: Place, keys: Keys, ca_file: str | None, proxy: str | None, answer_s: float) -> Any:
    session = botocore.session.Session(session_vars=_UNCONFIGURED)
    return session.create_client(
        "s3",
        endpoint_url=f"https://{place.endpoint}",
        region_name=place.region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        verify=ca_file or True,
        config=botocore.config.Config(
            s3={"addressing_style": "path" if place.uri_style == "path" else "virtual"},
            # Stores end the connection of a refused write whose checksum comes behind its content, before the answer
            # is read; some do not know such checksums at all.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=min(_CONNECT_S, answer_s),
            read_timeout=answer_s,
            retries={"total_max_attempts": 1, "mode": "standard"},
            **({"proxies": {"https": proxy}} if proxy else {}),
        ),
    )


def _written(ca: str) -> str:
    handle, path = tempfile.mkstemp(prefix="golive-ca-", suffix=".crt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(ca)
    return path
