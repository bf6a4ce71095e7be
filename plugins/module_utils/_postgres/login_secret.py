# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``login_secret``: which login clients use, with a password that nobody typed, and its change by turns."""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import TOKEN, own_token, refuse_newer
from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value

STEPS = ("keep", "begin", "move", "end")
USER, PASSWORD = "username", "password"
# When the password was made, ISO 8601 in UTC; one that was copied from elsewhere has none.
ROTATED = "rotated_at"
_NEXT = "-next"
_ROLE = "golive.cutover/role"
_MANAGED = {"app.kubernetes.io/managed-by": "golive", _ROLE: "login"}
_MANAGER = "golive-logins"
_LETTERS = string.ascii_letters + string.digits
_LENGTH = 32
_TRIES = 20
_RACED = ("conflict", "already_exists")


@dataclass(frozen=True)
class _State:
    """Both Secrets as they are; names of logins, or None."""

    current: Mapping[str, Any] | None
    next: Mapping[str, Any] | None

    @property
    def login(self) -> str | None:
        return _text(self.current, USER)

    @property
    def coming(self) -> str | None:
        return _text(self.next, USER)


def login_secret(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    with connected(call) as client:
        work = _Work(call, client)
        for _try in range(_TRIES):
            try:
                return work.once()
            except GoliveError as error:
                if error.code not in _RACED:
                    raise
    name = call.params["name"]
    raise GoliveError("conflict", f"Writing the Secret {name} failed: somebody else changes it all the time.")


class _Work:
    def __init__(self, call: Call, client: Client) -> None:
        self._call = call
        self._client = client
        self._params = call.params
        self._token = own_token(call.params)
        self._logins: list[str] = call.params["logins"]
        self._changed = False

    def once(self) -> dict[str, Any]:
        """Look, and do the step that is asked for; what an interrupted run has begun goes on where it is."""
        name, step = self._params["name"], self._params["step"]
        state = _State(self._read(name), self._read(name + _NEXT))
        self._refuse(state)
        before = state
        if state.login is None or (step == "keep" and not self._has_labels(state.current)):
            state = _State(self._have(state.current), state.next)
        if step == "begin" and state.next is None:
            made = self._write(name + _NEXT, None, self._other(state), _generated(), self._now())
            state = _State(state.current, made)
        if step == "move" and state.next is not None and state.coming != state.login:
            password, made_at = _text(state.next, PASSWORD), _text(state.next, ROTATED)
            state = _State(self._write(name, state.current, state.coming, password, made_at), state.next)
        if step == "end" and state.next is not None:
            self._end(state)
            state = _State(state.current, None)
        return self._result(before, state)

    def _refuse(self, state: _State) -> None:
        for one, name in ((state.login, self._params["name"]), (state.coming, self._params["name"] + _NEXT)):
            if one is not None and one not in self._logins:
                raise GoliveError(
                    "foreign_secret",
                    f"Using the Secret {name} failed: it holds the login {one}, which is none of"
                    f" {', '.join(self._logins)}.",
                    "Correct the names of the logins, or delete the Secret when nobody uses it.",
                )
        if state.current is not None and state.login is None and not self._params["adopt"]:
            raise GoliveError(
                "foreign_secret",
                f"Using the Secret {self._params['name']} failed: it is there, and names no login under {USER}.",
                "Choose another name, or set adopt: true to take it and its password over.",
            )
        if self._params["step"] != "keep" and len(self._logins) < 2:
            raise GoliveError("invalid", f"{self._logins[0]} has no other login to change places with.")

    def _have(self, found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The Secret with a login: as it is, with the password that it has, or a copied one, or a new one."""
        source = self._params["password_from"]
        password = _text(found, PASSWORD)
        if password is None and source is not None:
            try:
                password = secret_value(self._client, self._params["namespace"], source["name"], source["key"])
            except GoliveError:
                if not self._call.check_mode:
                    raise
        login = _text(found, USER) or self._logins[0]
        if password is None:
            return self._write(self._params["name"], found, login, _generated(), self._now())
        return self._write(self._params["name"], found, login, password, _text(found, ROTATED))

    def _now(self) -> str:
        return self._call.date().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _other(self, state: _State) -> str:
        return next(one for one in self._logins if one != state.login)

    def _end(self, state: _State) -> None:
        if state.coming != state.login:
            raise GoliveError(
                "not_moved",
                f"Ending the change of the login in the Secret {self._params['name']} failed: it still holds"
                f" {state.login}, not {state.coming}.",
                "Run the step move first.",
            )
        self._changed = True
        if not self._call.check_mode and state.next is not None:
            meta = state.next["metadata"]
            body = {"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}
            self._call.alive()
            self._client.request("DELETE", self._path(meta["name"]), body=body)

    def _has_labels(self, found: Mapping[str, Any] | None) -> bool:
        wanted = {**(self._params["labels"] or {}), **_MANAGED}
        return wanted.items() <= ((found or {}).get("metadata", {}).get("labels") or {}).items()

    def _read(self, name: str) -> Mapping[str, Any] | None:
        found = self._client.get_or_none(self._path(name))
        if found is not None and self._token is not None:
            refuse_newer({**found, "kind": "Secret"}, self._token)
        return found

    def _write(
        self,
        name: str,
        found: Mapping[str, Any] | None,
        login: str | None,
        password: str | None,
        rotated: str | None,
    ) -> Mapping[str, Any] | None:
        """Create it, or replace what was found if nobody has changed it since: name and password in one write."""
        meta = dict((found or {}).get("metadata") or {"name": name, "namespace": self._params["namespace"]})
        meta.pop("managedFields", None)
        meta["labels"] = {**(meta.get("labels") or {}), **(self._params["labels"] or {}), **_MANAGED}
        if self._token is not None:
            meta["annotations"] = {**(meta.get("annotations") or {}), TOKEN: self._token}
        values = {USER: login or "", PASSWORD: password or "", **({ROTATED: rotated} if rotated else {})}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        kept = {key: value for key, value in ((found or {}).get("data") or {}).items() if key != ROTATED}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": (found or {}).get("type") or "Opaque",
            "metadata": meta,
            "data": {**kept, **data},
        }
        self._changed = True
        if self._call.check_mode:
            return body
        self._call.alive()
        method, path = ("POST", self._path("")) if found is None else ("PUT", self._path(name))
        written: dict[str, Any] = self._client.request(
            method, path, query={"fieldManager": _MANAGER}, body=body, retry=False
        )
        return written

    def _path(self, name: str) -> str:
        path = f"/api/v1/namespaces/{quote(self._params['namespace'], safe='')}/secrets"
        return f"{path}/{quote(name, safe='')}" if name else path

    def _result(self, before: _State, after: _State) -> dict[str, Any]:
        name = self._params["name"]
        result: dict[str, Any] = {
            "changed": self._changed,
            "created": before.current is None,
            "login": after.login,
            "spare": next((one for one in self._logins if one != after.login), None),
            "next": name + _NEXT if after.next is not None else None,
            "coming": after.coming,
        }
        if self._call.diff_mode:
            shown = [diff_of(f"Secret {name}", _shown(before.current), _shown(after.current))]
            shown += [diff_of(f"Secret {name}{_NEXT}", _shown(before.next), _shown(after.next))]
            result["diff"] = [one for one in shown if one["before"] != one["after"]] if self._changed else []
        return result


def _generated() -> str:
    return "".join(secrets.choice(_LETTERS) for _letter in range(_LENGTH))


def _text(secret: Mapping[str, Any] | None, key: str) -> str | None:
    value = ((secret or {}).get("data") or {}).get(key)
    return base64.b64decode(value).decode() if value is not None else None


def _shown(secret: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What may be shown of it: no password."""
    if secret is None:
        return None
    return {
        "labels": secret["metadata"].get("labels") or {},
        "keys": sorted(secret.get("data") or {}),
        USER: _text(secret, USER),
    }
