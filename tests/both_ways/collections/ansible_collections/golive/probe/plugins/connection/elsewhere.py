# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that is not local by name: what ssh is to the runner, without a server."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = r"""
name: elsewhere
short_description: Run commands here under the name of another connection
description: Used by tests only.
author: Cutover contributors
options: {}
"""


class Connection(LocalConnection):
    """The local connection by another name."""

    transport = "golive.probe.elsewhere"
