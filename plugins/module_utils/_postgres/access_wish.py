# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database shall have: groups, logins, schemas, extensions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

STATES = ("present", "disabled", "absent")
KINDS = ("owner", "app", "reader")
POWERS = ("monitor", "signal", "create_database")
PROVIDERS = ("libc", "icu", "builtin")
_LONGEST = 63
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_SETTINGS = ("role", "session_authorization")


@dataclass(frozen=True)
class Login:
    """A role that somebody logs in as. ``of`` is one of KINDS, ``state`` one of STATES.

    ``password`` is None where it stays as it is; ``unknown_password`` where a Secret will hold one that is not there
    yet. ``settings`` are by name; None takes one away. ``connection_limit`` as in PostgreSQL, -1 is none.
    """

    name: str
    of: str
    state: str = "present"
    password: str | None = field(default=None, repr=False)
    unknown_password: bool = False
    replace_in_use: bool = False
    connection_limit: int | None = None
    settings: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Extension:
    """An extension; without ``version`` any is right, without ``schema`` the server decides."""

    name: str
    schema: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Wish:
    """What the verb is asked for. ``encoding``, ``locale`` and ``provider`` count when the database is made;
    ``owner_may`` is of POWERS."""

    database: str
    owner: str
    app: str
    reader: str
    logins: tuple[Login, ...] = ()
    schemas: tuple[str, ...] = ("public",)
    ledger_schema: str = "golive"
    extensions: tuple[Extension, ...] = ()
    encoding: str | None = None
    locale: str | None = None
    provider: str | None = None
    monitor: bool = True
    temporary: bool = False
    take_over: bool = False
    owner_may: tuple[str, ...] = ()

    @property
    def groups(self) -> dict[str, str]:
        """Names of the groups by kind."""
        return {"owner": self.owner, "app": self.app, "reader": self.reader}

    @property
    def all_schemas(self) -> tuple[str, ...]:
        """Those of the app and that of the ledger."""
        return (*self.schemas, self.ledger_schema)


def check_wish(wish: Wish) -> None:
    """Raise GoliveError ``invalid`` for what no server could take."""
    _check_names(wish)
    listed = [login.name for login in wish.logins]
    _refuse_twice("logins", listed)
    _refuse_twice("owner, app and reader", wish.groups.values())
    _refuse_twice("schemas and ledger_schema", wish.all_schemas)
    _refuse_twice("extensions", (extension.name for extension in wish.extensions))
    if not wish.schemas:
        raise _invalid("schemas is empty", "Name at least one schema, such as public.")
    for number, login in enumerate(wish.logins):
        _check_login(f"logins[{number}] ({login.name})", login, wish)
    for number, extension in enumerate(wish.extensions):
        if extension.schema and extension.schema not in (*wish.schemas, "pg_catalog"):
            raise _invalid(
                f"extensions[{number}] ({extension.name}) goes into the schema {extension.schema}, which is not listed",
                "Add the schema to schemas.",
            )


def _check_names(wish: Wish) -> None:
    named = [("database", wish.database), *wish.groups.items(), ("ledger_schema", wish.ledger_schema)]
    named += [(f"logins[{number}].name", login.name) for number, login in enumerate(wish.logins)]
    named += [(f"schemas[{number}]", schema) for number, schema in enumerate(wish.schemas)]
    named += [(f"extensions[{number}].name", one.name) for number, one in enumerate(wish.extensions)]
    for option, text in named:
        if not text or len(text.encode()) > _LONGEST or not text.isprintable():
            raise _invalid(f"{option} is {text!r}", f"Use 1 to {_LONGEST} bytes of printable text.")
        if text.startswith("pg_") and not option.startswith("extensions"):
            raise _invalid(f"{option} is {text!r}", "PostgreSQL keeps names that begin with pg_ for itself.")
    for option, text in named:
        if text in ("public", "none") and (option in KINDS or option.startswith("logins")):
            raise _invalid(f"{option} is {text!r}", "PostgreSQL has no role of that name; take another one.")


def _check_login(where: str, login: Login, wish: Wish) -> None:
    if login.name in wish.groups.values():
        raise _invalid(f"{where} has the name of a group", "Give the login, or the group, another name.")
    if login.password is not None and (not login.password or _CONTROL.search(login.password)):
        raise _invalid(
            f"the password of {where} is empty or holds a line break or another control character",
            "Look for a line break at the end of the value in the Secret.",
        )
    if login.connection_limit is not None and login.connection_limit < -1:
        raise _invalid(
            f"connection_limit of {where} is {login.connection_limit}", "Use -1 for no limit, or 0 and more."
        )
    for setting in login.settings:
        if not _SETTING.fullmatch(setting) or setting.lower() in _NOT_SETTINGS:
            raise _invalid(f"settings of {where} have {setting!r}", "Use names of settings, without role.")


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    twice = [one for one, count in Counter(names).items() if count > 1]
    if twice:
        raise _invalid(f"{what} name {', '.join(twice)} twice", "Name each once.")


def _invalid(what: str, hint: str) -> GoliveError:
    return GoliveError("invalid", f"Cannot set up access: {what}.", hint)
