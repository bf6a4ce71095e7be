# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_health``: whether a PostgreSQL server is healthy, and why not."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_health
short_description: Tell whether a PostgreSQL server is healthy, and why not
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - Reads facts of a server in a read-only session and holds each against a warning and a critical threshold;
    docs/postgres-health.md lists them all.
  - The verdict is V(unhealthy) with anything critical, V(degraded) with a warning, or with a fact that must be known
    and is not, and V(healthy) else. Each reason says what was seen, the threshold, and what to do.
  - A server that does not answer, or takes no more sessions, is V(unhealthy). A wrong password, a missing database or a
    wrong option is an error.
  - The login needs the rights of C(pg_monitor), and no others. Indexes and sequences are those of its database.
  - The filter P(golive.cutover.pg_health_checks#filter) makes checks for M(golive.cutover.health_gate) of the same
    facts.
options:
  facts:
    description: Names of the facts to look at. Without it all that fit O(role).
    type: list
    elements: str
    default: []
  ignore:
    description: Names of facts that are left out.
    type: list
    elements: str
    default: []
  required:
    description: Names of facts that must be known, beside the usual ones. V(disk_free), V(sequence_used) and
      V(deadlocks) need not be.
    type: list
    elements: str
    default: []
  thresholds:
    description:
      - Other thresholds, as a dict of C(warning) and C(critical) by the name of the fact. Shares are from 0 to 1, times
        in seconds, sizes in bytes. A value beyond the threshold is bad; null asks for none.
      - For instance V({"standbys":{"critical":1}}) makes it critical when fewer than one standby streams.
    type: dict
    default: {}
  role:
    description: What the server is expected to be.
    type: str
    choices: [primary, standby]
    default: primary
  disk_free:
    description:
      - Bytes free on the volume of the database, such as V(40G).
      - Without it they are read in the pod behind O(tunnel), where it is allowed to run C(df) there. Else they are not
        known.
    type: bytes
  disk_size:
    description: Size of this volume, with O(disk_free). Without it, what the databases and the WAL take and what is
      free are added up, which fits a volume that holds nothing else.
    type: bytes
  timeout:
    description: Seconds that the server may take for one fact; one that takes longer is not known.
    type: float
    default: 5
  fail_on:
    description: The verdict from which on the task fails; V(never) only tells it.
    type: str
    choices: [never, degraded, unhealthy]
    default: never
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
  - golive.cutover.tunnel
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing, so there is nothing to show.
    support: none
  idempotent:
    description: It changes nothing.
    support: full
seealso:
  - module: golive.cutover.health_gate
  - plugin: golive.cutover.pg_health_checks
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Look at the database of shop
  golive.cutover.pg_health:
    postgresql:
      database: shop
      user: monitor
      password_secret:
        name: shop-monitor
    tunnel:
      namespace: shop
      service: shop-postgres
  register: health

- name: Show why it is not healthy
  ansible.builtin.debug:
    var: health.reasons

- name: Stop when something is critical, or when the standby is missing
  golive.cutover.pg_health:
    thresholds:
      standbys:
        critical: 1
      transaction_age:
        warning: 3600
    ignore: [checksums_off]
    disk_free: 40G
    disk_size: 100G
    fail_on: unhealthy
    postgresql:
      host: db.example.org
      database: shop
      user: monitor
      sslmode: verify-full
"""

RETURN = r"""
verdict:
  description: V(healthy), V(degraded) or V(unhealthy).
  returned: when the options are right
  type: str
  sample: degraded
reasons:
  description: Why it is not healthy, the worst first; empty when it is.
  returned: when the options are right
  type: list
  elements: str
  sample: ["Invalid indexes in this database: 1 is above 0 (warning); orders_at of table orders. REINDEX INDEX
    CONCURRENTLY it, or drop it: it costs writes and serves no query."]
reachable:
  description: Whether the server has answered to the end.
  returned: when the options are right
  type: bool
server:
  description: What the server is; all are null when it does not answer.
  returned: when the options are right
  type: dict
  contains:
    version:
      description: Version of the server.
      type: str
    role:
      description: V(primary) or V(standby).
      type: str
    database:
      description: Name of the database.
      type: str
    login:
      description: Role of this session.
      type: str
facts:
  description: Every fact that was asked for.
  returned: when the options are right
  type: list
  elements: dict
  contains:
    name:
      description: Name of the fact.
      type: str
    title:
      description: What it is.
      type: str
    state:
      description: V(ok), V(warning), V(critical) or V(unknown).
      type: str
    value:
      description: The number; null when it is not known.
      type: float
    unit:
      description: V(share), V(seconds), V(bytes), V(count) or V(per_hour).
      type: str
    warning:
      description: Threshold of a warning; null for none.
      type: float
    critical:
      description: Threshold of what is critical; null for none.
      type: float
    seen:
      description: What the number is about, such as a session, a slot or an index.
      type: str
    reason:
      description: Why it is bad or not known; empty when it is good.
      type: str
    hint:
      description: What to do.
      type: str
unknown:
  description: Names of the facts that are not known.
  returned: when the options are right
  type: list
  elements: str
faults:
  description: Everything that is wrong with the options.
  returned: when they are wrong
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_spec import tunnel_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health import (
    FAIL_ON,
    NEVER,
    ROLES,
    health,
    judged,
    no_pod,
    read_wish,
)
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        **tunnel_spec(),
        "facts": {"type": "list", "elements": "str", "default": []},
        "ignore": {"type": "list", "elements": "str", "default": []},
        "required": {"type": "list", "elements": "str", "default": []},
        "thresholds": {"type": "dict", "default": {}},
        "role": {"type": "str", "choices": list(ROLES), "default": ROLES[0]},
        "disk_free": {"type": "bytes"},
        "disk_size": {"type": "bytes"},
        "timeout": {"type": "float", "default": 5},
        "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": NEVER},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    params = call.params
    wish = read_wish(params)
    try:
        with reached(call) as reach:
            found = reach.masked(health(reach.call, reach.where, wish, reach.disk_room))
    except GoliveError as error:
        away = no_pod(error, wish)
        if away is None:
            raise
        found = away
    return judged(found, params["fail_on"])


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
