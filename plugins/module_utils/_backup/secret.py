# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``backup_secret``: what PostgreSQL and Jobs know of the repositories of its backups, in Secrets."""

from __future__ import annotations

import base64
import re
import secrets
import string
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.secret_file import (
    FILE,
    Keys,
    client_text,
    server_text,
    shown_text,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.secret_wish import Repository, Wish, wish_from
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_secret_objects
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import own_token
from ansible_collections.golive.cutover.plugins.module_utils._kube.secrets import Secrets, data_of

CIPHER, KEY_ID = "cipher", "key_id"
_LABELS = {"app.kubernetes.io/managed-by": "golive", "golive.cutover/role": "backup-key"}
_MANAGER = "golive-backup"
_LETTERS = string.ascii_letters + string.digits
_LENGTH = 64
_AUTHORITY = re.compile(r"repo\d+-ca\.crt")
_TRIES = 20
_RACED = ("conflict", "already_exists")

Secret = Mapping[str, Any]


def backup_secret(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    wish = wish_from(call.params)
    with connected(call) as client:
        work = _Work(call, wish, Secrets(client, wish.namespace, own_token(call.params), _MANAGER))
        for _try in range(_TRIES):
            try:
                return work.once()
            except GoliveError as error:
                if error.code not in _RACED:
                    raise
    raise GoliveError("conflict", f"Writing the Secret {wish.name} failed: somebody else changes it all the time.")


class _Work:
    def __init__(self, call: Call, wish: Wish, store: Secrets) -> None:
        self._call = call
        self._wish = wish
        self._store = store
        self._written: list[str] = []
        self._made = False
        self._diff: list[dict[str, str]] = []

    def once(self) -> dict[str, Any]:
        """Look, and write what is missing or differs: the passphrase first, so that nothing ever uses a lost one."""
        wish, read = self._wish, self._store.read
        found = {name: read(name) for name in (wish.name, wish.client, wish.key)}
        self._refuse(found)
        keys = [self._keys(one, found[wish.name]) for one in wish.repositories]
        authorities = {
            one.ca_file: self._value(one.ca_secret, one.ca_key, found[wish.name])
            for one in wish.repositories
            if one.ca_secret
        }
        cipher, key_id = self._key(found[wish.key])
        for name, text in ((wish.name, server_text), (wish.client, client_text)):
            self._put(name, found[name], {FILE: text(wish, keys, cipher).encode(), **authorities})
        return {
            "changed": bool(self._written),
            "written": self._written,
            "key_created": self._made,
            "key_id": key_id,
            "repositories": [
                {"number": one.number, "endpoint": one.endpoint, "bucket": one.bucket, "path": one.path}
                for one in wish.repositories
            ],
            **({"diff": self._diff} if self._call.diff_mode else {}),
        }

    def _refuse(self, found: Mapping[str, Secret | None]) -> None:
        wish = self._wish
        for name in (wish.name, wish.client):
            if "tls.crt" in data_of(found[name]):
                continue
            if found[name] is None and self._call.check_mode:
                continue
            raise GoliveError(
                "certificate_missing",
                f"Writing the Secret {name} in namespace {wish.namespace} failed: it has no certificate yet.",
                "Run tls_secret for it first; this verb adds the file of pgBackRest to that Secret.",
            )
        users = [name for name in (wish.name, wish.client) if FILE in data_of(found[name])]
        if users and CIPHER not in data_of(found[wish.key]) and not wish.new_key:
            raise GoliveError(
                "key_lost",
                f"The Secret {wish.key} in namespace {wish.namespace} has no {CIPHER} any more. What was backed up"
                f" so far can be read with that passphrase alone, which is also in {FILE} of the Secret {users[0]}, as"
                " repo1-cipher-pass.",
                f"Put it back under {CIPHER}. To begin with a new one, give the repositories another path and set"
                " new_key: true.",
            )

    def _keys(self, one: Repository, server: Secret | None) -> Keys:
        return Keys(*(self._value(one.secret, key, server).decode() for key in (one.access_key, one.secret_key)))

    def _value(self, name: str, key: str, server: Secret | None) -> bytes:
        """A value of a Secret of the operator's."""
        found = self._store.read(name)
        what = f"the key {key} of the Secret {name} in namespace {self._wish.namespace}"
        if found is None:
            # Before anything is made, check mode cannot ask for what is brought in between.
            if server is None and self._call.check_mode:
                return b""
            raise GoliveError(
                "not_found",
                f"Reading {what} failed: there is no such Secret.",
                "Make it with what the S3 server has given you; its values are never options of a task.",
            )
        data = data_of(found)
        if key not in data:
            raise GoliveError("key_missing", f"Reading {what} failed: it has {', '.join(sorted(data)) or 'no keys'}.")
        return _line(what, data[key]) if b"-----BEGIN" not in data[key] else data[key]

    def _key(self, found: Secret | None) -> tuple[str, str | None]:
        """The passphrase, made once, and the name it is told apart by; None where check mode would make that."""
        data = data_of(found)
        made = {CIPHER: _random(_LENGTH).encode(), KEY_ID: f"{self._call.date():%Y%m%d}-{_random(6)}".encode()}
        wanted = {**made, **data}
        cipher = _line(f"{CIPHER} of the Secret {self._wish.key}", wanted[CIPHER]).decode()
        if found is None or wanted != data or not self._labels().items() <= _labels_of(found).items():
            self._write(self._wish.key, found, wanted, self._labels())
            self._made = self._made or CIPHER not in data
        known = None if KEY_ID not in data and self._call.check_mode else wanted[KEY_ID].decode()
        return cipher, known

    def _put(self, name: str, found: Secret | None, values: Mapping[str, bytes]) -> None:
        """Have the values in a Secret beside its certificate; authorities of repositories that are gone leave it."""
        data = data_of(found)
        wanted = {key: value for key, value in data.items() if not _AUTHORITY.fullmatch(key)} | dict(values)
        if wanted != data:
            self._write(name, found, wanted, {})

    def _labels(self) -> dict[str, str]:
        return {**self._wish.labels, **_LABELS}

    def _write(self, name: str, found: Secret | None, data: Mapping[str, bytes], labels: Mapping[str, str]) -> None:
        meta = dict((found or {}).get("metadata") or {"name": name, "namespace": self._wish.namespace})
        meta.pop("managedFields", None)
        meta["labels"] = {**(meta.get("labels") or {}), **labels}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": (found or {}).get("type") or "Opaque",
            "metadata": meta,
            "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        }
        if not self._call.check_mode:
            self._call.alive()
            self._store.write(secret, found)
        self._written.append(name)
        before, after = mask_secret_objects(_of_diff(found), _of_diff(secret))
        texts = [data_of(one)[FILE].decode() if FILE in data_of(one) else None for one in (found, secret)]
        self._diff.append(diff_of(f"Secret {name}", before, after))
        if texts[1] is not None:
            shown = (shown_text(texts[0], texts[1]), shown_text(texts[1], texts[0]))
            self._diff.append(diff_of(f"{FILE} of the Secret {name}", *shown))


def _line(what: str, value: bytes) -> bytes:
    """A value that fits into one line of the file; others would be read as further options there."""
    if not re.fullmatch(rb"[ -~]+", value.strip()):
        raise GoliveError("invalid", f"Using {what} failed: it is empty, or more than one line of plain text.")
    return value.strip()


def _of_diff(secret: Secret | None) -> dict[str, Any] | None:
    if secret is None:
        return None
    return {"kind": "Secret", "labels": _labels_of(secret), "data": secret.get("data") or {}}


def _labels_of(secret: Secret) -> dict[str, str]:
    return dict(secret["metadata"].get("labels") or {})


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _letter in range(length))
