# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pg_access`` on a database in a pod: through the tunnel, with every password from a Secret."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import pg_access
from tests.e2e.conftest import kubectl
from tests.e2e.migrate.conftest import Stand


def see_to(stand: Stand, database: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """Run the verb with one login of the app, whose password is in the Secret with the database's name."""
    spec = pg_access.SPEC["argument_spec"]
    login = {key: option.get("default") for key, option in spec["logins"]["options"].items()}
    login |= {"name": f"{database}_a", "of": "app", "password_secret": {"name": database, "key": "password"}}
    given = stand.params()
    params = {key: option.get("default") for key, option in spec.items()}
    params |= {"database": database, "logins": [login], "tunnel": given["tunnel"], "postgresql": given["postgresql"]}
    return pg_access.run(call_for_tests({**params, **options}, check_mode, diff_mode=True))


def logs_in(stand: Stand, database: str, password: str) -> str:
    """Who the server says it is that logs in with this password."""
    script = f"PGPASSWORD={password} psql -h 127.0.0.1 -U {database}_a -d {database} -Atc 'SELECT current_user'"
    return kubectl("exec", "-n", stand.namespace, "deploy/shop-postgres", "--", "sh", "-c", script).strip()


def test_secrets_become_passwords(fresh: Stand) -> None:
    database, password = f"p-{secrets.token_hex(4)}", f"planted-{secrets.token_hex(8)}"
    # The role makes the Secret in the same play, so that check mode does not find it.
    planned = see_to(fresh, database, check_mode=True)
    assert planned["changed"] is True
    with pytest.raises(GoliveError) as caught:
        see_to(fresh, database)
    assert caught.value.code == "not_found"
    kubectl("create", "secret", "generic", database, "-n", fresh.namespace, f"--from-literal=password={password}")
    done = see_to(fresh, database)
    assert done["plan"] == planned["plan"]
    for again in (see_to(fresh, database, check_mode=True), see_to(fresh, database)):
        assert (again["changed"], again["plan"]) == (False, [])
    assert logs_in(fresh, database, password) == f"{database}_a"
    assert password not in str(done)


def test_a_server_that_is_not_there_yet_has_a_plan(fresh: Stand) -> None:
    database = f"p-{secrets.token_hex(4)}"
    reach = {**fresh.params()["postgresql"], "password_secret": {"name": "nosuch", "key": "password"}}
    planned = see_to(fresh, database, check_mode=True, postgresql=reach)
    assert planned["plan"][0].startswith("CREATE DATABASE")
    with pytest.raises(GoliveError) as caught:
        see_to(fresh, database, postgresql=reach)
    assert caught.value.code == "not_found"


def test_a_secret_with_a_line_break_is_refused_without_showing_it(fresh: Stand) -> None:
    database = f"p-{secrets.token_hex(4)}"
    literal = "--from-literal=password=planted-7c21\n"
    kubectl("create", "secret", "generic", database, "-n", fresh.namespace, literal)
    with pytest.raises(GoliveError) as caught:
        see_to(fresh, database)
    assert caught.value.code == "invalid"
    assert "line break" in str(caught.value)
    assert "planted-7c21" not in str(caught.value)
