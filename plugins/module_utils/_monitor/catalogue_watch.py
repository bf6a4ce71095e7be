# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitoring itself, and what it expects to be there."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue_postgres import TELLS_NOTHING
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import (
    CRITICAL,
    NONE,
    WARNING,
    Alert,
    Record,
)

# Without them nothing would fire when every exporter has vanished. They carry the labels that the rule gives them.
EXPECTED = (
    Record("E01", "golive_expected_pg_primaries", "vector($primaries)", "postgres", adds=("namespace", "pgcluster")),
    Record("E02", "golive_expected_pg_standbys", "vector($standbys)", "standby", adds=("namespace", "pgcluster")),
    Record(
        "E03", "golive_expected_requests_rate", "vector($requests_rate)", "requests_rate", adds=("namespace", "app")
    ),
    Record("E04", "golive_expected_job", "vector(1)", "jobs", adds=("namespace", "app")),
)

_FAILED = "sum by (cluster, integration) (rate(alertmanager_notifications_failed_total[5m]))"
_SENT = "(sum by (cluster, integration) (rate(alertmanager_notifications_total[5m])) > 0)"

ALERTS = (
    Alert(
        "C00",
        "Watchdog",
        NONE,
        0,
        "vector(1)",
        "always",
        "The alarm chain works",
        "This one always fires. Whoever does not get it for 3 minutes must be paged from outside.",
    ),
    Alert(
        "C20",
        "AlertDeliveryFailing",
        CRITICAL,
        120,
        f"{_FAILED} / {_SENT} > $undelivered",
        "self",
        "Alerts do not arrive through {{ $labels.integration }}",
        "{{ $value | humanizePercentage }} of them are lost.",
    ),
    # Alertmanager cannot escalate by time. The name goes into another label: two alerts must not become one series.
    Alert(
        "C21",
        "CriticalUnresolved",
        CRITICAL,
        900,
        "max by (cluster, namespace, app, pgcluster, source_alert) (label_replace("
        'ALERTS{$app,severity="critical",alertstate="firing",alertname!="CriticalUnresolved"}'
        ', "source_alert", "$1", "alertname", "(.+)")) == 1',
        "always",
        "{{ $labels.source_alert }} of $name is still not resolved",
        "Nobody has ended it for a quarter of an hour.",
    ),
    Alert(
        "W31",
        "LogPipelineDropping",
        WARNING,
        600,
        'sum by (cluster, component_id) (rate(vector_component_discarded_events_total{intentional="false"}[10m])) > 0',
        "logs",
        "Log lines are lost in {{ $labels.component_id }}",
        "{{ $value | humanize }} lines a second are thrown away.",
    ),
    Alert(
        "W32",
        "MonitoringImpaired",
        WARNING,
        600,
        "pg_exporter_last_scrape_error{$pg} > 0 or pg_scrape_collector_success{$pg} == 0",
        "postgres",
        "The exporter of $pgcluster cannot read all of it",
        "Some alerts of the database see nothing.",
        "cnpg_collector_last_collection_error{$pg} > 0",
        fault="exporter",
    ),
    Alert(
        "W32",
        "MonitoringImpaired",
        WARNING,
        600,
        "golive_exporter_query_up{$app} == 0",
        "schema",
        "The exporter of $name gets no answer about {{ $labels.query }}",
        "Alerts that depend on it see nothing. Its log names the cause.",
        fault="query",
    ),
    Alert(
        "W32",
        "MonitoringImpaired",
        WARNING,
        120,
        TELLS_NOTHING,
        "exporter_login",
        "The exporter of $pgcluster tells nothing of a server that answers",
        "No connection is left, or its login is gone. Alerts of this database see nothing.",
        fault="login",
    ),
    Alert(
        "W32",
        "MonitoringImpaired",
        WARNING,
        600,
        "increase(prometheus_rule_evaluation_failures_total[10m]) > 0",
        "self",
        "Prometheus cannot evaluate a rule",
        "Group {{ $labels.rule_group }} fails.",
        fault="rules",
    ),
    Alert(
        "W32",
        "MonitoringImpaired",
        WARNING,
        600,
        "prometheus_config_last_reload_successful == 0",
        "self",
        "Prometheus has refused its configuration",
        "It goes on with the one it had before, without the newest rules and targets.",
        fault="configuration",
    ),
    Alert(
        "W32",
        "MonitoringImpaired",
        WARNING,
        600,
        "golive_expected_job{$app} unless on (job) up == 1",
        "jobs",
        "Nothing of job {{ $labels.job }} is scraped",
        "No target of it is up, so that its alerts see nothing.",
        fault="targets",
    ),
    # A receiver that is down is counted here at once, and in the counter of C20 when Alertmanager gives up.
    Alert(
        "W32",
        "MonitoringImpaired",
        WARNING,
        180,
        "sum by (cluster, integration) (rate(alertmanager_notification_requests_failed_total[5m]))"
        " / (sum by (cluster, integration) (rate(alertmanager_notification_requests_total[5m])) > 0) > $undelivered",
        "self",
        "Receiver {{ $labels.integration }} refuses alerts",
        "Alertmanager tries again. AlertDeliveryFailing follows when it gives up.",
        fault="delivery",
    ),
)
