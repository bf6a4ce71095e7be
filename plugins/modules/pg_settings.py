# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_settings``: a server that runs with the wanted settings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_settings
short_description: Have a PostgreSQL server run with the wanted settings
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Compares the wanted settings with those of the running server and tells for each one that differs what it takes.
    The server itself says which (C(pg_settings.context)).
  - Values count by their meaning, so V(1GB) and V(131072) pages are no difference.
  - Unknown names, values beyond the server's limits, and settings that something outranks are refused, all at once and
    before anything is changed.
  - It never restarts the server. What waits for that is in RV(restart), also in later runs.
options:
  settings:
    description:
      - Settings by name. A list becomes a text with commas; null asks for the server's default.
    type: dict
    required: true
  file:
    description:
      - Path of a configuration file on the server that somebody else brings, such as one from a ConfigMap. It must hold
        O(settings) and nothing else; a setting that it holds and O(settings) does not is taken to be on its way out.
      - The server reads it only when it is wholly there and free of faults.
      - Without it the settings are written with C(ALTER SYSTEM).
    type: str
  files:
    description:
      - Further files on the server that it reads together with its settings, such as C(pg_hba.conf) and its
        certificate. Somebody else brings them; the server reads them when they hold what they shall.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path on the server.
        type: str
        required: true
      sha256:
        description: SHA-256 in hexadecimal of what it shall hold.
        type: str
      certificate_sha256:
        description: SHA-256 in hexadecimal of the first certificate that it shall hold, as C(tls_secret) returns it.
        type: str
  timeout:
    description: Seconds until O(file) and O(files) must be there.
    type: int
    default: 120
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: It reads the server and returns what would be changed.
    support: full
  diff_mode:
    description: Settings before and after, with what each takes.
    support: full
  idempotent:
    description: A server that runs with the settings, or waits only for its restart, is left alone.
    support: full
notes:
  - The login must be a superuser, or hold C(pg_read_all_settings) and the right to execute
    C(pg_show_all_file_settings) and C(pg_reload_conf). With O(files) it must be a superuser.
  - A kubelet brings a changed ConfigMap within about a minute. With O(tunnel) the pod is annotated, which lets its
    kubelet look at once; without the right to do so it is waited for.
seealso:
  - plugin: golive.cutover.tuned_postgres
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Bring the settings of shop
  golive.cutover.pg_settings:
    settings:
      work_mem: 8MB
      shared_preload_libraries: [pg_stat_statements]
    postgresql:
      database: postgres
      user: postgres
      password_secret:
        name: shop-postgres-admin
    tunnel:
      namespace: shop
      service: shop-postgres
  register: settings

- name: Say what a restart would bring
  ansible.builtin.debug:
    msg: "A restart is needed for {{ settings.restart | join(', ') }}"
  when: settings.restart | length > 0
"""

RETURN = r"""
settings:
  description: Settings of the running server that differ from the wanted ones, in the order of their names.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the setting.
      type: str
    before:
      description: Its value in the running server, in RV(settings[].unit).
      type: str
    after:
      description: The wanted value as it was written; None for the server's default.
      type: str
    unit:
      description: Unit of a number without one.
      type: str
    takes:
      description: V(reload), V(restart), or V(reconnect) when only new sessions get it.
      type: str
    pending:
      description: Whether the server has read it already and waits for its restart.
      type: bool
reloaded:
  description: Whether the server has read its configuration again.
  returned: always
  type: bool
files:
  description: Paths of O(files) that the server had not read yet.
  returned: always
  type: list
  elements: str
restart:
  description: Settings that need, or still wait for, a restart of the server.
  returned: always
  type: list
  elements: str
server_version:
  description: Version of the running server.
  returned: always
  type: str
  sample: "17.6"
"""

from contextlib import AbstractContextManager
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._postgres.settings_apply import bring_settings
from ansible_collections.golive.cutover.plugins.module_utils._postgres.settings_beside import Beside
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "settings": {"type": "dict", "required": True},
        "file": {"type": "str"},
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "path": {"type": "str", "required": True},
                "sha256": {"type": "str"},
                "certificate_sha256": {"type": "str"},
            },
            "required_one_of": [("sha256", "certificate_sha256")],
        },
        "timeout": {"type": "int", "default": 120},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    with reached(call) as reach:

        def session() -> AbstractContextManager[Session]:
            return connect(reach.call, reach.where, search_path="pg_catalog")

        found = bring_settings(
            reach.call,
            session,
            params["settings"],
            params["file"],
            params["timeout"],
            reach.refresh_files,
            [Beside(**one) for one in params["files"] or []],
        )
        return reach.masked(found)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
