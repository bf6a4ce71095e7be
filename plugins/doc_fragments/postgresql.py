# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option that reaches a PostgreSQL database."""

from __future__ import annotations


class ModuleDocFragment:
    """Pairs with ``pg_spec`` of ``module_utils/_pg/spec.py``."""

    DOCUMENTATION = r"""
options:
  postgresql:
    description:
      - Where and as whom to connect. What is left out comes from the environment (E(PGHOST), E(PGPORT), E(PGDATABASE),
        E(PGUSER), E(PGPASSWORD), E(PGSSLMODE), E(PGSSLROOTCERT)), read when the task runs, then from libpq's defaults.
      - Sessions run with C(TimeZone=UTC), a fixed C(search_path) and timeouts.
    type: dict
    suboptions:
      host:
        description:
          - Name or address of the server, or the directory of its Unix socket.
          - With a tunnel only the name that the server's certificate must show.
        type: str
      port:
        description: Port of the server; 5432 if neither this nor E(PGPORT) is set. A tunnel may name another one.
        type: int
      database:
        description: Name of the database.
        type: str
      user:
        description: Name of the role.
        type: str
      password:
        description: Password of the role. Better name a Secret in O(postgresql.password_secret).
        type: str
      password_secret:
        description: Key of a Kubernetes Secret that holds the password. The options that reach the cluster apply.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Secret. Without it the namespace of the tunnel.
            type: str
          name:
            description: Name of the Secret.
            type: str
            required: true
          key:
            description: Key inside the Secret.
            type: str
            default: password
          user_key:
            description: Key inside the Secret that holds the name of the role, which outranks O(postgresql.user).
            type: str
      sslmode:
        description:
          - How much TLS is asked for, as in libpq. V(prefer) if neither this nor E(PGSSLMODE) is set. With
            O(postgresql.ca_secret) it is V(verify-full) where there is a host, and V(verify-ca) where there is none.
          - Use V(verify-full) across a network you do not trust.
        type: str
        choices: [disable, allow, prefer, require, verify-ca, verify-full]
      sslrootcert:
        description: File with the certificate authority of the server.
        type: path
      ca_secret:
        description:
          - Key of a Kubernetes Secret that holds the certificate authority of the server, in place of
            O(postgresql.sslrootcert). The options that reach the cluster apply.
        type: dict
        suboptions:
          namespace:
            description: Namespace of the Secret. Without it the namespace of the tunnel.
            type: str
          name:
            description: Name of the Secret.
            type: str
            required: true
          key:
            description: Key inside the Secret.
            type: str
            default: ca.crt
      connect_timeout:
        description: Seconds until a connection must be there; with a tunnel also until a pod must be ready.
        type: int
        default: 10
requirements:
  - psycopg2 >= 2.9
"""
