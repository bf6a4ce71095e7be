# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded server of an app by the name of the one that is live, and its fence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2

from tests.e2e.conftest import kubectl
from tests.e2e.postgres.test_embedded import Embedded


@dataclass(frozen=True)
class LiveServer:
    """What its Service leads to, seen from outside of our code."""

    server: Embedded

    @property
    def name(self) -> str:
        """Of the Service."""
        return f"{self.server.app}-postgres"

    def live(self) -> str:
        """Its pod."""
        return self.server.get(f"service/{self.name}", r"{.spec.selector.statefulset\.kubernetes\.io/pod-name}")

    def pods(self) -> list[str]:
        labelled = ("-l", f"app.kubernetes.io/name={self.name}", "-o", "name")
        told = kubectl("-n", self.server.namespace, "get", "pods", *labelled)
        return sorted(line.removeprefix("pod/") for line in told.split())

    def sql(self, text: str, database: str = "") -> str:
        asked = ("psql", "-U", "postgres", "-d", database or self.server.app, "-Atc", text)
        return kubectl("-n", self.server.namespace, "exec", self.live(), "-c", "postgres", "--", *asked).strip()

    @contextmanager
    def session(self, database: str) -> Iterator[psycopg2.extensions.connection]:
        """One of the superuser, over the Service."""
        with self.server.tunnel() as address, closing(self.server.connect(*address, "-admin", dbname=database)) as one:
            yield one

    def is_fenced(self) -> bool:
        asked = f"SELECT datallowconn FROM pg_database WHERE datname = '{self.server.app}'"
        return self.sql(asked, database="postgres") == "f"

    @contextmanager
    def fence_held(self) -> Iterator[psycopg2.extensions.connection]:
        """A fence that is begun lasts: it waits for this lock, which whoever connects holds meanwhile."""
        with self.session("postgres") as session, session.cursor() as cursor:
            session.autocommit = False
            cursor.execute(f"COMMENT ON DATABASE {self.server.app} IS 'of a test'")
            yield session
