# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_switch``: move the clients of a PostgreSQL to another server, with the loss measured behind a fence."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_switch
short_description: Move the clients of a PostgreSQL in the cluster to another server beside it
version_added: 0.1.0
author:
  - Cutover contributors (@cutover)
description:
  - An app reaches its server by a Service whose selector names one pod. This verb leads the Service to the pod of
    another server, such as one that M(golive.cutover.pg_restore) has restored, and back.
  - Before anything is written it counts the committed transactions that the other server lacks, and refuses more than
    O(accept_loss).
  - Then it fences the live server. Its databases accept no connection any more, and the sessions in them have ended.
    The loss is counted once more, now to the last transaction, and only then the Service is led to the other server,
    in one write against what was read. Whatever fails before that write opens the live server again.
  - An interrupted run is finished by the same call. The same call with the live server in O(to) takes its fence back.
  - The server that was left is kept as the way back, until it is settled.
options:
  namespace:
    description: Namespace of the servers.
    type: str
    required: true
  service:
    description: Name of the Service that the app uses.
    type: str
    required: true
  state:
    description: V(settled) gives up the way back with its volume, V(switched) leads the Service to O(to).
    type: str
    choices: [switched, settled]
    default: switched
  to:
    description:
      - Name of the StatefulSet of the server that shall be live; its pod ends in C(-0). Without it nothing is changed,
        and only RV(live) and RV(kept) are told.
    type: str
  ends_at:
    description: What the server in O(to) holds, as RV(golive.cutover.pg_restore#module:ends_at). Not needed on the way
      back.
    type: dict
    suboptions:
      next_xid:
        description: The first transaction id that it does not hold.
        type: str
        required: true
      undone:
        description: Transactions below that it does not hold either.
        type: list
        elements: str
        default: []
      timeline:
        description: Timeline on which it was restored. On another one than that of the live server nobody can count.
        type: int
  accept_loss:
    description: How many committed transactions of the live server may be lost; -1 is any number, also an unknown one.
    type: int
    default: 0
  reason:
    description: What the switch is for, kept with the way back in RV(kept.reason).
    type: str
    default: ""
  discard:
    description: For O(state=settled), name of the volume (C(spec.volumeName)) that is deleted.
    type: str
extends_documentation_fragment:
  - golive.cutover.kube
  - golive.cutover.postgresql
attributes:
  check_mode:
    description: Counts what would be lost, and refuses the same. The other server need not run for it.
    support: full
  diff_mode:
    description: Which server is live, or what is no longer kept.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
notes:
  - O(postgresql) is the login of a superuser, with a database that no app uses, such as V(postgres). That database
    stays open; all others are fenced.
  - It needs the rights to read and patch Services, to read EndpointSlices, pods and PersistentVolumeClaims, to create
    C(pods/portforward), and for O(state=settled) to delete PersistentVolumeClaims.
seealso:
  - module: golive.cutover.pg_restore
"""

EXAMPLES = r"""
- name: Lead the shop to the server that was restored, when no more than 20 transactions are lost
  golive.cutover.pg_switch:
    namespace: shop
    service: shop-postgres
    to: shop-postgres-2
    ends_at: "{{ restored.ends_at }}"
    accept_loss: 20
    postgresql: &administrator
      database: postgres
      host: shop-postgres.shop.svc
      ca_secret: {name: shop-postgres-tls, namespace: shop}
      password_secret: {name: shop-postgres-admin, namespace: shop, user_key: username}

- name: Give up the server of before
  golive.cutover.pg_switch:
    namespace: shop
    service: shop-postgres
    state: settled
    discard: pvc-0b6c2a4e-5a0c-4b8e-9a59-3f1b5b1a2c11
    postgresql: *administrator
"""

RETURN = r"""
live:
  description: Name of the server that the Service leads to; null where there is no Service.
  returned: success
  type: str
beside:
  description: Name for a server beside the live one, with one number more.
  returned: success
  type: str
pinned:
  description: Whether the Service names the pod of its server, so that a second one may run.
  returned: success
  type: bool
kept:
  description: The way back; null without one.
  returned: success
  type: dict
  contains:
    server:
      description: Name of the server that was left.
      type: str
    claim:
      description: Its claim.
      type: str
    volume:
      description: Name of its volume; null when the claim is gone.
      type: str
    by:
      description: V(restore) or V(return), by which it was left.
      type: str
    reason:
      description: What the switch was for.
      type: str
    since:
      description: The first transaction id of the live server that the kept one cannot have.
      type: int
    lost:
      description: Committed transactions that were given up with it; null when they could not be counted.
      type: int
transactions_lost:
  description:
    - Committed transactions of the live server that the other one lacks; with a fence, those that are lost. Only those
      that wrote have an id and count, and a subtransaction counts as one.
    - Null without O(to), and when they cannot be counted.
  returned: success, and when the loss was refused
  type: int
downtime_ms:
  description: Milliseconds from the begin of the fence until the Service led to the other server alone; null when
    nothing was switched.
  returned: success
  type: int
code:
  description:
    - Machine-readable code of the failure, such as V(loss_not_accepted), V(kept), V(not_pinned), V(busy), V(changed),
      V(volume_not_named), V(unreachable), V(timeout) or V(lease_lost).
  returned: on failure
  type: str
hint:
  description: What to try.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.finish import finish
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease_kept import under_lease
from ansible_collections.golive.cutover.plugins.module_utils._kube.spec import kube_spec
from ansible_collections.golive.cutover.plugins.module_utils._pg.spec import pg_spec
from ansible_collections.golive.cutover.plugins.module_utils._postgres.switch import pg_switch

SPEC: dict[str, Any] = {
    "argument_spec": {
        **kube_spec(),
        **pg_spec(),
        "namespace": {"type": "str", "required": True},
        "service": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["switched", "settled"], "default": "switched"},
        "to": {"type": "str"},
        "ends_at": {
            "type": "dict",
            "options": {
                "next_xid": {"type": "str", "required": True},
                "undone": {"type": "list", "elements": "str", "default": []},
                "timeline": {"type": "int"},
            },
        },
        "accept_loss": {"type": "int", "default": 0},
        "reason": {"type": "str", "default": ""},
        "discard": {"type": "str"},
    },
    "supports_check_mode": True,
}


@under_lease
def run(call: Call) -> dict[str, Any]:
    """The result as documented; raises GoliveError."""
    return pg_switch(call)


def main() -> None:
    """Run as a module."""
    finish(AnsibleModule(**SPEC), run)


if __name__ == "__main__":
    main()
