# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, and the logins in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_draft import Draft, Phase
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_facts import (
    Fact,
    createdb_fact,
    limit_facts,
    login_fact,
    member_fact,
    role_facts,
    setting_fact,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_scram import verifier
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_sql import joined_sql, literal, name
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import (
    MEMBERSHIP_OPTIONS_SINCE,
    MONITOR,
    SIGNAL,
    Membership,
    Role,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Login
from ansible_collections.golive.cutover.plugins.module_utils._postgres.setting_values import LISTS

_MASK = "********"
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*")


class Password(Enum):
    """What is known of a login's password: it is the wanted one, the wanted one but kept as MD5, another one, or nobody
    can tell."""

    SAME = "same"
    WEAK = "weak"
    OTHER = "other"
    UNTOLD = "untold"


def plan_groups(draft: Draft) -> None:
    """Three roles that nobody logs in as."""
    for kind, group in draft.wish.groups.items():
        there = draft.state.roles.get(group)
        if there is None:
            draft.do(f"CREATE ROLE {name(group)} NOLOGIN", adds={login_fact(group, False)})
            continue
        if there.can_login:
            draft.refuse(
                "group_can_login",
                f"{group} shall be the group {kind}, but somebody may log in as it.",
                f"name another role in {kind}, and list {group} in logins if it is still needed",
            )
        _plan_attributes(draft, there)
        _leave_groups(draft, group, ())


def plan_monitor(draft: Draft) -> None:
    """The reader's membership in pg_monitor."""
    if draft.wish.monitor:
        _join_server(draft, draft.wish.reader, MONITOR, "set monitor to false")


def plan_powers(draft: Draft) -> None:
    """What else the owner group may do on the server; what it may already and was not asked for stays."""
    wish, admin = draft.wish, draft.state.administrator
    for power, role in (("monitor", MONITOR), ("signal", SIGNAL)):
        if power in wish.owner_may:
            _join_server(draft, wish.owner, role, f"take {power} out of owner_may")
    there = draft.state.roles.get(wish.owner)
    if "create_database" not in wish.owner_may or (there is not None and there.creates_databases):
        return
    if not (admin.superuser or admin.can_create):
        draft.refuse(
            "administrator",
            f"{admin.name} may not let {wish.owner} make databases.",
            "connect as a role with CREATEDB, or take create_database out of owner_may",
        )
    draft.do(f"ALTER ROLE {name(wish.owner)} CREATEDB", adds={createdb_fact(wish.owner)})


def _join_server(draft: Draft, group: str, role: str, instead: str) -> None:
    admin = draft.state.administrator
    if _is_member(draft, group, role):
        return
    if not (admin.may_grant_monitor if role == MONITOR else admin.may_grant_signal):
        draft.refuse(
            "monitor",
            f"{admin.name} may not make {group} a member of {role}.",
            f"let a superuser run GRANT {role} TO {name(admin.name)} WITH ADMIN OPTION, or {instead}",
        )
    _join(draft, group, role)


def plan_logins(draft: Draft, passwords: Mapping[str, Password]) -> None:
    """Roles that somebody logs in as."""
    for login in draft.wish.logins:
        if login.name in (draft.state.administrator.name, draft.state.bootstrap):
            # Refused already; whatever else there is to say of it is of no use.
            continue
        there = draft.state.roles.get(login.name)
        before = len(draft.actions)
        if login.state == "absent":
            _plan_absence(draft, there)
        else:
            _plan_login(draft, login, there, passwords.get(login.name, Password.UNTOLD))
        if there is not None and not there.administered and len(draft.actions) > before:
            draft.refuse(
                "not_administered",
                f"{draft.state.administrator.name} may not change {login.name}.",
                f"let a superuser run GRANT {name(login.name)} TO {name(draft.state.administrator.name)}"
                " WITH ADMIN OPTION, or connect as a superuser",
            )


def _plan_login(draft: Draft, login: Login, there: Role | None, known: Password) -> None:
    enabled = login.state == "present"
    if there is None:
        _create(draft, login, enabled)
        there = Role(login.name)
    else:
        _alter(draft, login, there, enabled, known)
    group = draft.wish.groups[login.of]
    if draft.state.version < MEMBERSHIP_OPTIONS_SINCE and not there.inherit:
        draft.do(f"ALTER ROLE {name(login.name)} INHERIT")
    if not _is_member(draft, login.name, group, login.of == "owner"):
        _join(draft, login.name, group)
    _leave_groups(draft, login.name, (group,))
    _plan_settings(draft, login, there)
    if not enabled:
        _end_sessions(draft, there)


def _create(draft: Draft, login: Login, enabled: bool) -> None:
    sql = f"CREATE ROLE {name(login.name)} {'LOGIN' if enabled else 'NOLOGIN'}"
    facts = {login_fact(login.name, enabled)}
    if login.connection_limit is not None and login.connection_limit >= 0:
        sql += f" CONNECTION LIMIT {login.connection_limit}"
        facts |= limit_facts(login.name, login.connection_limit)
    text = sql
    if enabled and (login.password is not None or login.unknown_password):
        sql += f" PASSWORD {_kept(draft, login)}"
        text += f" PASSWORD '{_MASK}'"
        facts.add(_password_fact(login))
    draft.do(sql, text=text, adds=facts)


def _alter(draft: Draft, login: Login, there: Role, enabled: bool, known: Password) -> None:
    _plan_attributes(draft, there)
    alter = f"ALTER ROLE {name(login.name)}"
    if enabled:
        # Before it may log in again, so that nobody ever does with the old one.
        _plan_password(draft, login, there, known)
    if there.can_login != enabled:
        draft.do(
            f"{alter} {'LOGIN' if enabled else 'NOLOGIN'}",
            adds={login_fact(login.name, enabled)},
            removes={login_fact(login.name, there.can_login)},
        )
    limit = login.connection_limit
    if limit is not None and limit != there.connection_limit:
        draft.do(
            f"{alter} CONNECTION LIMIT {limit}",
            adds=limit_facts(login.name, limit),
            removes=limit_facts(login.name, there.connection_limit),
        )


def _plan_password(draft: Draft, login: Login, there: Role, known: Password) -> None:
    if login.password is None and not login.unknown_password:
        return
    used = there.can_login and there.sessions > 0
    if known is Password.SAME:
        return
    if known is Password.UNTOLD and used and not login.replace_in_use:
        draft.warnings.append(
            f"Nobody can tell whether the password of {login.name} is the wanted one, and it is in use: it was left."
        )
        return
    if known is Password.OTHER and used and not login.replace_in_use:
        draft.refuse(
            "password_in_use",
            f"{login.name} has {there.sessions} sessions and another password; its clients could not log in again.",
            "give the new password to an idle login and let the clients move to it, or set replace_in_use",
        )
        return
    alter = f"ALTER ROLE {name(login.name)} PASSWORD"
    draft.do(f"{alter} {_kept(draft, login)}", text=f"{alter} '{_MASK}'", adds={_password_fact(login)})


def _plan_attributes(draft: Draft, there: Role) -> None:
    """Take away what would make all other rights meaningless."""
    if not there.attributes:
        return
    attributes = sorted(there.attributes)
    if not draft.wish.take_over:
        draft.refuse(
            "dangerous_attributes",
            f"{there.name} has {', '.join(attributes)}.",
            "set take_over to take that away, after its other users have moved to another role",
        )
        return
    draft.do(
        f"ALTER ROLE {name(there.name)} {' '.join(f'NO{one}' for one in attributes)}",
        removes={Fact(f"role {there.name}", "", one) for one in attributes},
    )


def _plan_settings(draft: Draft, login: Login, there: Role) -> None:
    wanted = {setting.lower(): value for setting, value in login.settings.items()}
    held = {setting.lower(): value for setting, value in there.settings.items()}
    if login.of == "owner":
        # Whatever it makes belongs to the group then.
        wanted["role"] = draft.wish.owner
    elif held.get("role") == draft.wish.owner:
        wanted["role"] = None
    names = draft.state.setting_names
    alter = f"ALTER ROLE {name(login.name)} IN DATABASE {name(draft.wish.database)}"
    for setting, value in sorted(wanted.items()):
        if names is not None and setting not in names and "." not in setting and setting != "role":
            draft.refuse(
                "setting_unknown",
                f"The server knows no setting {setting}, which {login.name} shall have.",
                "correct its name",
            )
            continue
        old = held.get(setting)
        if value is None and old is not None:
            draft.do(f"{alter} RESET {_setting(setting)}", removes={setting_fact(login.name, setting, old)})
        elif value is not None and _stored(setting, value) != old:
            draft.do(
                f"{alter} SET {_setting(setting)} TO {_value(setting, value)}",
                adds={setting_fact(login.name, setting, _stored(setting, value))},
                removes={setting_fact(login.name, setting, old)} if old is not None else (),
            )


def _plan_absence(draft: Draft, there: Role | None) -> None:
    if there is None:
        return
    kept = (*there.owns, *there.named_elsewhere)
    if kept:
        draft.refuse(
            "owns_objects",
            f"{there.name} cannot be dropped: it owns, or has rights on, {', '.join(sorted(set(kept))[:5])}.",
            "disable it, give away what it owns with take_over or REASSIGN OWNED, and drop it then",
        )
        return
    if there.can_login:
        draft.do(
            f"ALTER ROLE {name(there.name)} NOLOGIN",
            adds={login_fact(there.name, False)},
            removes={login_fact(there.name, True)},
        )
    _end_sessions(draft, there)
    admin = draft.state.administrator
    if not admin.superuser and there.name not in admin.roles:
        draft.do(joined_sql(there.name, admin.name, draft.state.version), phase=Phase.DROP)
    # It owns nothing, so that this takes away rights only; without it they would keep the role.
    draft.do(f"DROP OWNED BY {name(there.name)}", phase=Phase.DROP)
    memberships = {member_fact(one.member, one.role) for one in draft.state.memberships if one.member == there.name}
    draft.do(
        f"DROP ROLE {name(there.name)}",
        phase=Phase.DROP,
        removes={login_fact(there.name, False), *role_facts(there), *memberships},
    )


def _end_sessions(draft: Draft, there: Role) -> None:
    if there.sessions:
        draft.do("", text=f"end {there.sessions} sessions of {there.name}", phase=Phase.SESSIONS, role=there.name)


def _is_member(draft: Draft, member: str, group: str, must_become: bool = False) -> bool:
    rows = [one for one in draft.state.memberships if (one.role, one.member) == (group, member)]
    if draft.state.version < MEMBERSHIP_OPTIONS_SINCE:
        # What it inherits hangs on the member there, and is seen to with it.
        return bool(rows)
    return any(one.inherit for one in rows) and (not must_become or any(one.set for one in rows))


def _join(draft: Draft, member: str, group: str) -> None:
    draft.do(joined_sql(group, member, draft.state.version), adds={member_fact(member, group)})


def _leave_groups(draft: Draft, member: str, stays: tuple[str, ...]) -> None:
    groups = set(draft.wish.groups.values()) - set(stays)
    for one in draft.state.memberships:
        if one.member == member and one.role in groups:
            draft.do(_left(draft, one), removes={member_fact(member, one.role)})


def _left(draft: Draft, one: Membership) -> str:
    sql = f"REVOKE {name(one.role)} FROM {name(one.member)}"
    if draft.state.version >= MEMBERSHIP_OPTIONS_SINCE:
        # Each grantor's grant stands for itself there.
        sql += f" GRANTED BY {name(one.grantor)}"
    return sql


def _kept(draft: Draft, login: Login) -> str:
    return literal(verifier(login.password, draft.state.iterations)) if login.password is not None else "NULL"


def _password_fact(login: Login) -> Fact:
    return Fact(f"role {login.name}", "", "new password")


def _setting(setting: str) -> str:
    return ".".join(name(part) for part in setting.split("."))


def _value(setting: str, value: str) -> str:
    return ", ".join(literal(one) for one in _names(value)) if setting in LISTS else literal(value)


def _stored(setting: str, value: str) -> str:
    """A value as the server keeps it."""
    if setting not in LISTS:
        return value
    return ", ".join(one if _PLAIN_NAME.fullmatch(one) else name(one) for one in _names(value))


def _names(value: str) -> list[str]:
    return [part.strip().strip('"') for part in value.split(",")]
