# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for Prometheus that watch one app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.module_utils._monitor.render import groups
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import settings_from

DOCUMENTATION = r"""
name: prometheus_rules
short_description: Recording and alerting rules for one app
version_added: 0.1.0
author: Cutover contributors (@golive)
description:
  - Gives the groups of a rule file, or of the C(spec) of a PrometheusRule, for Prometheus 2.42 and newer.
  - The rules read only series of this app. C(docs/alerts.md) lists them with their bounds, C(docs/runbooks) tells what
    to do when one fires.
positional: _input
options:
  _input:
    description:
      - What is watched. C(app) is the name of the app; all others may be left out.
      - C(namespace) of the app, C(pgcluster) the label of its database's series, C(profile) (V(mvp), V(standard),
        V(enterprise)) and C(hypercare) choose the bounds, C(bounds) replaces single ones.
      - C(database) is V(exporter) (postgres_exporter), V(cnpg) or V(none). C(metrics) is V(prometheus),
        V(opentelemetry), V(envoy) or V(none).
      - C(cluster) is the value of the label of that name on scraped series; left out when they carry none. A label that
        Prometheus adds for others only (external label) is none.
      - C(standbys) and C(requests_rate) are what is expected, C(jobs) the scrape jobs that must be up,
        C(archive_timeout) the server's setting in seconds, C(claims) a pattern for the names of the volume claims.
      - C(also) and C(without) are lists of components that are there besides the usual ones, or are not.
      - C(runbooks) is the address of the folder with the runbooks.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write a rule file
  ansible.builtin.copy:
    dest: /etc/prometheus/rules/shop.yml
    content: "{{ {'groups': {'app': 'shop', 'database': 'none'} | golive.cutover.prometheus_rules} | to_nice_yaml }}"
    mode: "0644"
"""

RETURN = r"""
_value:
  description: Groups with their rules.
  type: list
  elements: dict
"""


def prometheus_rules(wish: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The groups. Raises AnsibleFilterError that names every wrong setting."""
    try:
        return groups(settings_from(wish))
    except ValueError as error:
        raise AnsibleFilterError(f"No rules can be made: {error}.") from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, object]:
        """The filter by its name."""
        return {"prometheus_rules": prometheus_rules}
