# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings derived from a container: they fit into it, and grow with it."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.filter.postgres_conf import postgres_conf
from ansible_collections.golive.cutover.plugins.filter.tuned_postgres import tuned_postgres
from ansible_collections.golive.cutover.plugins.module_utils._postgres.tuning import LEAST_MEMORY, tuned

MIB = 1024**2


def megabytes(text: str | int) -> float:
    found = re.fullmatch(r"(\d+)(kB|MB)", str(text))
    assert found is not None
    return int(found[1]) / (1024 if found[2] == "kB" else 1)


def test_a_small_container() -> None:
    found = tuned_postgres({"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}}, "10Gi")
    assert found["shared_buffers"] == "128MB"
    assert found["effective_cache_size"] == "384MB"
    assert found["max_connections"] == 102
    assert found["max_wal_size"] == "1280MB"
    assert found["max_parallel_workers_per_gather"] == 1


def test_a_large_container() -> None:
    found = tuned_postgres({"limits": {"cpu": 8, "memory": "32Gi"}}, "500Gi", 300)
    assert found["shared_buffers"] == "8192MB"
    assert found["max_connections"] == 300
    assert found["max_wal_size"] == "4096MB"
    assert found["max_parallel_workers"] == 8
    assert found["max_parallel_workers_per_gather"] == 4
    assert found["maintenance_work_mem"] == "2048MB"


def test_a_file_has_values_as_the_server_reads_them() -> None:
    settings = {"work_mem": "8MB", "log_line_prefix": "it's \\ %m", "log_connections": True, "port": None}
    text = "log_connections = 'on'\nlog_line_prefix = 'it''s \\\\ %m'\nwork_mem = '8MB'\n"
    assert postgres_conf(settings) == text
    assert postgres_conf({"shared_preload_libraries": ["a", "b"]}) == "shared_preload_libraries = 'a, b'\n"


@given(
    st.integers(LEAST_MEMORY // MIB, 512 * 1024),
    st.floats(0.1, 128),
    st.one_of(st.none(), st.integers(1, 10_000).map(lambda gib: gib * 1024 * MIB)),
)
def test_what_is_derived_fits(memory: int, cores: float, volume: int | None) -> None:
    found = tuned(memory * MIB, cores, volume)
    buffers = megabytes(found["shared_buffers"])
    assert buffers + megabytes(found["maintenance_work_mem"]) * 3 <= memory / 2
    assert megabytes(found["work_mem"]) >= 1
    assert megabytes(found["min_wal_size"]) <= megabytes(found["max_wal_size"])
    assert volume is None or megabytes(found["max_wal_size"]) <= volume / MIB / 8 or volume < 1024 * MIB
    assert 20 <= int(found["max_connections"]) <= 400


@pytest.mark.parametrize(
    ("resources", "storage", "text"),
    [
        ({}, "1Gi", "name no memory"),
        ({"limits": {"memory": "lots"}}, "1Gi", "'lots' is no quantity"),
        ({"limits": {"memory": "64Mi"}}, "1Gi", "too little"),
        ({"limits": {"memory": "1Gi"}}, "big", "'big' is no quantity"),
    ],
)
def test_resources_that_carry_no_server(resources: dict[str, dict[str, str]], storage: str, text: str) -> None:
    with pytest.raises(AnsibleFilterError, match=text):
        tuned_postgres(resources, storage)
