# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_access``: who may do what in a database."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_access
short_description: Look after a PostgreSQL database, its owner, app and reader roles, their rights and logins
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Makes a database, its schemas and extensions, and three groups that nobody logs in as. The group O(owner) owns
    everything and is for migrations, O(app) reads and writes rows, and O(reader) reads rows and the server's
    statistics. Rights are granted on what is there and, by default privileges, on what the owner group makes later.
  - C(PUBLIC), which is every role, loses the right to create in the schemas, to connect to the database and to make
    temporary tables in it. The schema of the ledger is for owner and reader alone.
  - Logins are members of a group. Those of the owner group become it when their sessions begin, so that whatever they
    make belongs to the group.
  - Passwords are compared with what the server keeps, and are sent as SCRAM-SHA-256 verifiers that are computed here.
    The clear text never reaches the server. An administrator who may not read what the server keeps logs in with a
    password to find out whether it is the wanted one.
  - Everything but the creation of the database is one transaction, apart from the removal of logins. It waits for locks
    in short tries, so that nobody queues behind it. Afterwards all is read again and compared.
  - Nobody is shut out unasked. A login in use gets no other password, and a role that is connected or owns something
    and is not listed is a reason to refuse.
  - A right that a migration takes from O(app) on one table of O(schemas) is given again by the next run. Keep such
    tables in a schema that is not listed. Functions can be called by everybody who may connect, unless a migration
    forbids it.
options:
  database:
    description: Name of the database. It is made when it is missing.
    type: str
    required: true
  encoding:
    description: Encoding of a database that is made, V(UTF8) if it is not given. An existing one must have it.
    type: str
  locale:
    description: Locale of a database that is made, such as V(C.UTF-8) or V(en-US). An existing one must have it.
    type: str
  locale_provider:
    description: Who provides the locale, from PostgreSQL 15 on; V(builtin) from 17 on.
    type: str
    choices: [libc, icu, builtin]
  owner:
    description: Name of the group that owns the database; C(<database>_owner) if it is not given.
    type: str
  app:
    description: Name of the group of the app; C(<database>_app) if it is not given.
    type: str
  reader:
    description: Name of the group that only reads; C(<database>_reader) if it is not given.
    type: str
  schemas:
    description: Schemas of the app. Missing ones are made.
    type: list
    elements: str
    default: [public]
  ledger_schema:
    description: Schema of the ledger of M(golive.cutover.db_migrate).
    type: str
    default: golive
  extensions:
    description: Extensions that the database shall have. Others stay.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the extension.
        type: str
        required: true
      schema:
        description: Schema that it is made in, one of O(schemas).
        type: str
      version:
        description: Version that it shall have. Without it that of the server is made, and one that is there stays.
        type: str
  monitor:
    description:
      - Whether the reader group is made a member of C(pg_monitor). An administrator who is no superuser needs the
        right to grant that, from PostgreSQL 16 on.
    type: bool
    default: true
  owner_may:
    description:
      - What the owner group may do on the server besides. V(monitor) makes it a member of C(pg_monitor), so that
        migrations see who is in their way, V(signal) of C(pg_signal_backend), so that they may cancel sessions, and
        V(create_database) lets it make databases, which a rehearsal needs.
      - What it may do already stays.
    type: list
    elements: str
    choices: [monitor, signal, create_database]
    default: []
  temporary:
    description: Whether the app may make temporary tables.
    type: bool
    default: false
  logins:
    description: Roles that somebody logs in as. Members of the groups that are not listed are named in RV(unlisted).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the role.
        type: str
        required: true
      of:
        description: Group that it is a member of. It leaves the other two.
        type: str
        choices: [owner, app, reader]
        required: true
      state:
        description:
          - V(present) may log in. V(disabled) may not, and its sessions are ended.
          - V(absent) is dropped after its sessions were ended; one that owns something is not.
        type: str
        choices: [present, disabled, absent]
        default: present
      password:
        description: Password of a login that is present. Better name a Secret in O(logins[].password_secret).
        type: str
      password_secret:
        description: Key of a Kubernetes Secret that holds the password. The options that reach the cluster apply.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Secret. Without it the namespace of O(tunnel).
            type: str
          name:
            description: Name of the Secret.
            type: str
            required: true
          key:
            description: Key inside the Secret.
            type: str
            default: password
      replace_in_use:
        description: Whether a login that has sessions gets another password. Its clients cannot log in with the old
          one.
        type: bool
        default: false
      connection_limit:
        description: How many sessions it may have; V(-1) is no limit. Without it nothing is changed.
        type: int
      settings:
        description:
          - Settings of its sessions in this database, such as C(statement_timeout). A null takes one away; those that
            are not named stay.
        type: dict
        default: {}
  take_over:
    description:
      - Gives what belongs to other roles, which is the database, its O(schemas) and the objects in them, to the owner
        group, and takes C(SUPERUSER), C(CREATEROLE), C(BYPASSRLS) and C(REPLICATION) from the listed roles.
      - Without it both are reasons to refuse.
    type: bool
    default: false
  wait:
    description: Seconds to wait for another run, and for locks that others hold on tables.
    type: float
    default: 120
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: Reads everything and returns the statements that would run, without what is secret in them.
    support: full
    details:
      - When the Secret, Service or pod that leads to the server does not exist yet, the plan is that of an empty
        server. Without check mode that is an error.
  diff_mode:
    description: Shows roles and rights before and after as sorted lines, without secrets.
    support: full
  idempotent:
    description: What is there already is not done again.
    support: full
notes:
  - O(postgresql) names the administrator, a superuser, or a role with C(CREATEROLE), and C(CREATEDB) where the
    database is to be made. Its database is one that is there, C(postgres) if it is not given.
  - An administrator who is no superuser becomes a member of the owner group for the length of the transaction, and gets
    the right to connect to the database.
  - Large objects, publications, subscriptions and foreign servers of other roles are not taken over.
seealso:
  - module: golive.cutover.db_migrate
"""

EXAMPLES = r"""
- name: Have the database of shop, with two logins of the app that change places at each rotation
  golive.cutover.pg_access:
    database: shop
    extensions:
      - name: pg_trgm
    logins:
      - {name: shop_migrate, of: owner, password_secret: {name: shop-owner}}
      - {name: shop_a, of: app, password_secret: {name: shop-app-a}, settings: {statement_timeout: 30s}}
      - {name: shop_b, of: app, state: disabled}
      - {name: shop_metrics, of: reader, password_secret: {name: shop-reader}, connection_limit: 5}
    postgresql:
      user: postgres
      password_secret:
        name: shop-postgres
    tunnel:
      namespace: shop
      service: shop-postgres

- name: See what it would take to give an existing database its groups
  golive.cutover.pg_access:
    database: shop
    take_over: true
    logins:
      - {name: shop, of: app}
  check_mode: true
  diff: true
"""

RETURN = r"""
database:
  description: Name of the database.
  returned: success
  type: str
created:
  description: Whether the database was made.
  returned: success
  type: bool
plan:
  description: What was done, or would be in check mode, in order. Passwords are masked.
  returned: success
  type: list
  elements: str
  sample: ["CREATE ROLE \"shop_app\" NOLOGIN"]
groups:
  description: Names of the groups C(owner), C(app) and C(reader).
  returned: success
  type: dict
logins:
  description: The listed logins as they are now.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the role.
      type: str
    of:
      description: Its group.
      type: str
    state:
      description: State that was asked for.
      type: str
    can_login:
      description: Whether it may log in.
      type: bool
    sessions:
      description: How many sessions it has. Disable a login when it has none any more.
      type: int
    other_roles:
      description: Other roles that it is a member of, which may give it more rights.
      type: list
      elements: str
unlisted:
  description: Members of the groups that are not in O(logins). They stay.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the role.
      type: str
    of:
      description: Its group.
      type: str
    can_login:
      description: Whether it may log in.
      type: bool
    sessions:
      description: How many sessions it has.
      type: int
refused:
  description: What stands against it, with C(code), C(text) and C(hint).
  returned: when it was refused
  type: list
  elements: dict
blockers:
  description: Sessions that were in the way, with C(pid), C(user), C(application_name), C(state) and C(age_s).
  returned: when locks were not got in time
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_value
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import settings
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access import plan_from_nothing, set_up_access
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import (
    KINDS,
    POWERS,
    PROVIDERS,
    STATES,
    Extension,
    Login,
    Wish,
    check_wish,
)
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import masking, reached
from ansible_collections.golive.cutover.plugins.module_utils._reach.login_passwords import login_passwords

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "database": {"type": "str", "required": True},
        "encoding": {"type": "str"},
        "locale": {"type": "str"},
        "locale_provider": {"type": "str", "choices": list(PROVIDERS)},
        "owner": {"type": "str"},
        "app": {"type": "str"},
        "reader": {"type": "str"},
        "schemas": {"type": "list", "elements": "str", "default": ["public"]},
        "ledger_schema": {"type": "str", "default": "golive"},
        "extensions": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "schema": {"type": "str"},
                "version": {"type": "str"},
            },
        },
        "monitor": {"type": "bool", "default": True},
        "owner_may": {"type": "list", "elements": "str", "choices": list(POWERS), "default": []},
        "temporary": {"type": "bool", "default": False},
        "logins": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "of": {"type": "str", "choices": list(KINDS), "required": True},
                "state": {"type": "str", "choices": list(STATES), "default": "present"},
                "password": {"type": "str", "no_log": True},
                "password_secret": {
                    "type": "dict",
                    "no_log": False,
                    "options": {
                        "namespace": {"type": "str"},
                        "name": {"type": "str", "required": True},
                        "key": {"type": "str", "default": "password", "no_log": False},
                    },
                },
                "replace_in_use": {"type": "bool", "default": False},
                "connection_limit": {"type": "int"},
                "settings": {"type": "dict", "default": {}},
            },
            "mutually_exclusive": [("password", "password_secret")],
        },
        "take_over": {"type": "bool", "default": False},
        "wait": {"type": "float", "default": 120},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    passwords = login_passwords(call, params["logins"] or [])
    wish = _wish(params, passwords)
    secrets = [password for password in passwords if password]
    with masking(secrets):
        check_wish(wish)
        try:
            with reached(call) as reach:
                result = set_up_access(reach.call, reach.where, wish, params["wait"])
                return reach.masked(mask_value(result, secrets))
        except GoliveError as error:
            if not call.check_mode or error.code != "not_found":
                raise
            return dict(mask_value(plan_from_nothing(call, settings(params["postgresql"]), wish), secrets))


def _wish(params: Mapping[str, Any], passwords: list[str | None]) -> Wish:
    database = params["database"]
    logins = tuple(
        Login(
            name=one["name"],
            of=one["of"],
            state=one["state"],
            password=password,
            unknown_password=password is None and one["password_secret"] is not None,
            replace_in_use=one["replace_in_use"],
            connection_limit=one["connection_limit"],
            settings={key: None if value is None else str(value) for key, value in (one["settings"] or {}).items()},
        )
        for one, password in zip(params["logins"] or [], passwords, strict=True)
    )
    return Wish(
        database=database,
        owner=params["owner"] or f"{database}_owner",
        app=params["app"] or f"{database}_app",
        reader=params["reader"] or f"{database}_reader",
        logins=logins,
        schemas=tuple(params["schemas"] or ()),
        ledger_schema=params["ledger_schema"],
        extensions=tuple(Extension(**one) for one in params["extensions"] or []),
        encoding=params["encoding"],
        locale=params["locale"],
        provider=params["locale_provider"],
        monitor=params["monitor"],
        temporary=params["temporary"],
        take_over=params["take_over"],
        owner_may=tuple(params["owner_may"] or ()),
    )


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
