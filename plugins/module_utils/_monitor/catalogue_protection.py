# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be missed on a bad day: backups, restores, certificates, secrets."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL, WARNING, Alert, Record

_BACKUP = "golive_backup_last_success_timestamp_seconds{$pg}"
_NOT_AFTER = "certmanager_certificate_not_after_timestamp_seconds{$ns}"

RECORDS = (
    # Of several repositories the one that is furthest behind counts.
    Record(
        "R26",
        "pg:backup_age:seconds",
        f"time() - min $P ({_BACKUP})",
        "backup",
        f"time() - (min $P ({_BACKUP})"
        " or max $P (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{$pg} > 0))",
    ),
    Record(
        "R27",
        "pg:restore_test_age:seconds",
        "time() - max $P (golive_restore_test_last_success_timestamp_seconds{$pg} > 0)",
        "restore_test",
    ),
    Record(
        "R28",
        "pg:wal_archive:age_seconds",
        "max $P (pg_stat_archiver_last_archive_age{$pg})",
        "archive",
        "max $P (cnpg_pg_stat_archiver_seconds_since_last_archival{$pg})",
    ),
    # A share of the lifetime: lifetimes get shorter, and days would then warn all the time.
    Record(
        "R29",
        "tls:lifetime_left:ratio",
        f"({_NOT_AFTER} - time()) / ({_NOT_AFTER} - certmanager_certificate_not_before_timestamp_seconds{{$ns}})",
        "certificates",
        adds=("app",),
    ),
)

ALERTS = (
    Alert(
        "C16",
        "BackupMissing",
        CRITICAL,
        120,
        "pg:backup_age:seconds{$pg} > $backup_seconds"
        " or (golive_expected_pg_primaries{$pg} unless on (namespace, pgcluster) pg:backup_age:seconds{$pg})",
        "backup",
        "$pgcluster has no backup that is new enough",
        "The last good one is too old, or nothing is known of any.",
    ),
    Alert(
        "C19",
        "CertificateExpiryCritical",
        CRITICAL,
        600,
        "tls:lifetime_left:ratio{$app} < $lifetime_critical",
        "certificates",
        "Certificate {{ $labels.name }} ends soon",
        "{{ $value | humanizePercentage }} of its lifetime are left. Its renewal has failed for a long time.",
        fault="renewal",
    ),
    Alert(
        "C19",
        "CertificateExpiryCritical",
        CRITICAL,
        600,
        "probe_ssl_earliest_cert_expiry{$app} - time() < $expiry_seconds",
        "probe",
        "The certificate that $name shows to its users ends soon",
        "It ends in {{ $value | humanizeDuration }}. After that no browser opens the page.",
        fault="shown",
    ),
    Alert(
        "W26",
        "RestoreTestOverdue",
        WARNING,
        3600,
        "pg:restore_test_age:seconds{$pg} > $restore_seconds",
        "restore_test",
        "No backup of $pgcluster was restored for long",
        "The last good restore was {{ $value | humanizeDuration }} ago. Nobody knows what the backups are worth.",
        fault="age",
    ),
    # For as long as a restore may be old there were backups.
    Alert(
        "W26",
        "RestoreTestOverdue",
        WARNING,
        3600,
        "present_over_time(pg:backup_age:seconds{$pg}[1h] offset $restore_window)"
        " unless on (cluster, namespace, pgcluster) pg:restore_test_age:seconds{$pg}",
        "restore_test",
        "No backup of $pgcluster was ever restored",
        "There have been backups for long. Nobody knows what they are worth.",
        fault="never",
    ),
    Alert(
        "W28",
        "CertificateRenewalLate",
        WARNING,
        3600,
        "tls:lifetime_left:ratio{$app} < $lifetime_warning or max by (cluster, namespace, name)"
        ' (certmanager_certificate_ready_status{$ns,condition!="True"}) == 1',
        "certificates",
        "Certificate {{ $labels.name }} should have been renewed",
        "Its renewal is late, or cert-manager says that it is not ready.",
    ),
    Alert(
        "W29",
        "SecretRotationOverdue",
        WARNING,
        3600,
        "time() - golive_secret_last_rotated_timestamp_seconds{$app} > golive_secret_max_age_seconds{$app}",
        "secrets",
        "A secret of $name is older than it may be",
        "{{ $labels.name }} was changed {{ $value | humanizeDuration }} ago.",
        fault="age",
    ),
    Alert(
        "W29",
        "SecretRotationOverdue",
        WARNING,
        3600,
        "max by (cluster, namespace, name)"
        ' (externalsecret_status_condition{$ns,condition="Ready",status="False"}) == 1',
        "external_secrets",
        "Secret {{ $labels.name }} is not fetched from its store",
        "The external secret is not ready, so that a change there does not arrive here.",
        fault="sync",
    ),
    Alert(
        "W33",
        "SecurityHeadersMissing",
        WARNING,
        1800,
        'probe_success{$app,role="headers"} == 0',
        "headers",
        "Pages of $name lack a security header",
        "The edge has changed, or another configuration is in effect.",
    ),
)
