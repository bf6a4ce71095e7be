# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do when an alert of backups, certificates, secrets, changes or the monitoring fires."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.commands import (
    ARCHIVER,
    BACK,
    BACKUP,
    BLOCKERS,
    DATABASE_LOGS,
    DRILL,
    EVENTS,
    MIGRATE,
    PODS,
    ROTATE,
    SITE,
    STATUS,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import Guide

_DBA = "Whoever looks after PostgreSQL and its backups."
_PLATFORM = "The people who run the cluster."
_WATCH = "The people who run the monitoring."
_CERTIFICATE = "kubectl -n NAMESPACE describe certificate NAME"
_DATES = "openssl x509 -noout -dates"
_SHOWN = f"openssl s_client -connect HOST:443 -servername HOST </dev/null | {_DATES}"
_MONITORING = "kubectl -n MONITORING get pods"

GUIDES = {
    "BackupMissing": Guide(
        "The last good backup is older than it may be, or nothing is known of any.",
        "If the volume is lost now, more data is lost than was promised, or all of it.",
        (
            "See the last Jobs: `kubectl -n NAMESPACE get cronjobs,jobs`",
            "Read why the newest failed: `kubectl -n NAMESPACE logs job/JOB --tail=50`",
            f"See whether the log is archived at least: `{ARCHIVER}`",
        ),
        (
            ("The Job failed at the store", "Go on with PostgresWalArchivingStopped: the cause is the same"),
            ("No Job was started", "Its CronJob is suspended or gone: run site"),
            (
                "Backups are there, the number is missing",
                "The exporter is down; the alert is right not to trust silence",
            ),
            ("A migration or a move is planned today", "Stop it until there is a backup"),
        ),
        (BACKUP, SITE),
        "The age of the newest backup is minutes.",
        _DBA,
    ),
    "RestoreTestOverdue": Guide(
        "No backup was restored for longer than agreed, or none ever was though there have been some for as long.",
        "Nothing is broken. Nobody knows whether the backups can be used.",
        (
            "See the last drill: `kubectl -n NAMESPACE get cronjobs,jobs`",
            "Read why it failed, if it did: `kubectl -n NAMESPACE logs job/JOB --tail=50`",
        ),
        (
            ("It failed", "That is an incident of its own: a backup could not be read"),
            ("It was not started, or none ever was", "Start it today, in working hours, and have it run each week"),
        ),
        (DRILL,),
        "The age of the last good restore is hours.",
        _DBA,
    ),
    "CertificateExpiryCritical": Guide(
        "A certificate is at the end of its lifetime. Its renewal should have happened long ago and has failed.",
        "After the end no browser and no client connects any more.",
        (
            "See which and until when: `kubectl -n NAMESPACE get certificates`",
            f"Read why the renewal fails: `{_CERTIFICATE}`",
            f"Look at what users get: `{_SHOWN}`",
        ),
        (
            ("The challenge fails", "DNS or the gateway has changed: its path must reach the solver"),
            ("Too many requests at the authority", "Use another name or another authority until the limit ends"),
            ("It was renewed, users get the old one", "The gateway or the load balancer must read it again"),
            ("It is the database's own", "Run site with `postgres_tls_renew=true`"),
        ),
        ("kubectl -n NAMESPACE annotate certificate NAME renew=now --overwrite", f"{SITE} -e postgres_tls_renew=true"),
        "openssl shows the new end.",
        _PLATFORM,
    ),
    "CertificateRenewalLate": Guide(
        "A certificate should have been renewed by now, or cert-manager says that it is not ready.",
        "Nothing is broken yet. There is time to find the cause.",
        ("See which: `kubectl -n NAMESPACE get certificates`", f"Read why: `{_CERTIFICATE}`"),
        (
            ("The issuer is not ready", "Its account or its Secret is gone"),
            ("The challenge fails", "DNS or the gateway has changed"),
        ),
        (_CERTIFICATE,),
        "The certificate is ready and has most of its lifetime left.",
        _PLATFORM,
    ),
    "SecretRotationOverdue": Guide(
        "A secret is older than its rules allow, or does not arrive from the store that keeps it.",
        "An old secret is a risk. One that does not arrive means that a change there is not in effect here.",
        (
            "See which: `kubectl -n NAMESPACE get secrets`",
            "See those from elsewhere: `kubectl -n NAMESPACE get externalsecrets`",
        ),
        (
            ("It is the login of the database", "Rotate it: two logins take turns, nothing fails"),
            ("The store refuses", "The login of External Secrets has ended"),
            ("It is another service's", "Change it there first, then here"),
        ),
        (ROTATE,),
        "Its age is days.",
        "Whoever owns the secret.",
    ),
    "SecurityHeadersMissing": Guide(
        "A page of the app comes without a header that protects its users.",
        "Nothing is broken. Attacks that the header stops are possible.",
        ("See what comes: `curl -sI https://HOST/`", f"See what is live since when: `{STATUS}`"),
        (
            ("It began with a release", "The app sets the header itself: tell its owners"),
            ("It began without one", "The gateway was changed: take the change back"),
        ),
        (BACK,),
        "curl shows the headers.",
        "Whoever looks after the edge.",
    ),
    "MigrationFailed": Guide(
        "A migration of the database has failed. It has left no half of itself, or says exactly where it stopped.",
        "The release waits. What was live before works as before: its schema is still there.",
        (
            f"See the state: `{STATUS}`",
            "Read the message of the run: it names the file, the line and the cause.",
            f"See whether somebody held a lock: `{BLOCKERS}`",
        ),
        (
            ("It timed out behind a lock", "End what blocks, then run it again: it goes on where it stopped"),
            ("The statement is wrong", "Mend the file, run the linter, run it again"),
            ("The data does not fit", "Go back, clean the data, try again tomorrow"),
        ),
        (MIGRATE, BACK),
        "status shows no failed migration.",
        "The people who wrote the migration.",
    ),
    "CutoverGuardTripped": Guide(
        "During a move to a new place one of its guards has seen what must not be: lag, errors, writes on both sides.",
        "The move must not go on. Users may be on either side.",
        (
            f"See which side is live: `{STATUS}`",
            "Read the guard in the alert, which is the phase of the release, and its reason in the run's output.",
        ),
        (
            ("Before the switch", "Stop; nothing has happened yet"),
            ("After the switch, errors", "Go back at once"),
            ("Writes on both sides", "Stop the writes of the old side first; call for help"),
        ),
        (BACK,),
        "The guard is quiet and one side alone takes writes.",
        "Whoever leads the move.",
    ),
    "MigrationRunningLong": Guide(
        "A migration has been running for longer than expected.",
        "It may wait for a lock while others wait behind it, or it has more rows than thought.",
        (f"See whether it waits: `{BLOCKERS}`", f"See its progress: `{STATUS}`"),
        (
            ("It waits, others wait behind it", "End it: it can be run again"),
            ("It works in batches and goes on", "Let it"),
            ("It writes a whole table anew", "Decide now: at its end it may stop all writes"),
        ),
        (MIGRATE,),
        "It has ended, or goes on and nobody waits.",
        "The people who wrote the migration.",
    ),
    "CacheMemoryHigh": Guide(
        "The cache is nearly full.",
        "It throws entries away, and the database gets more work. With another policy it refuses writes.",
        ("See what it holds: `kubectl -n NAMESPACE exec CACHEPOD -- redis-cli info memory`", f"See the pods: `{PODS}`"),
        (
            ("The policy is noeviction", "Writes will fail: give it more memory now"),
            ("Entries have no end", "Tell the owners; each entry needs a time to live"),
        ),
        ("kubectl -n NAMESPACE exec CACHEPOD -- redis-cli info stats",),
        "Less than nine tenths are used.",
        "The people who wrote the app.",
    ),
    "Watchdog": Guide(
        "This alert always fires. It proves that alerts arrive at all. Its absence is the alarm.",
        "If it does not arrive outside, nobody is told of anything.",
        (f"See whether Prometheus and Alertmanager run: `{_MONITORING}`", "Look whether other alerts arrive."),
        (
            ("Prometheus is down", "Bring it back: nothing is watched until then"),
            ("Both run", "The way to the outside receiver is broken: network or token"),
        ),
        (_MONITORING,),
        "The outside receiver shows a fresh one.",
        _WATCH,
    ),
    "AlertDeliveryFailing": Guide(
        "Alertmanager has given up on alerts for a receiver.",
        "People are not told of what happens. The other receivers still work.",
        (
            "Read why: `kubectl -n MONITORING logs ALERTMANAGER --since=10m | grep -i notify | tail -20`",
            "See what else fires, since nobody was told.",
        ),
        (
            ("401, 403", "The token was changed: put the new one into its Secret"),
            ("429", "Too many messages: group more, or wait"),
            ("Timeout", "Network or the receiver itself; look at its status page"),
        ),
        (_MONITORING,),
        "A test alert arrives.",
        _WATCH,
    ),
    "CriticalUnresolved": Guide(
        "A critical alert has been firing for a quarter of an hour and nobody has ended it.",
        "An outage goes on, maybe without anybody who works on it.",
        (
            "Open the runbook of the alert that it names.",
            "Ask in the channel who works on it. Nobody answers: it is you.",
            f"See what is live: `{STATUS}`",
        ),
        (
            ("Somebody works on it", "Ask what they need; take over the messages to others"),
            ("Nobody does", "Begin with the named runbook; call a second person"),
            ("It is a false alarm", "Silence it for a day and correct its bound tomorrow"),
        ),
        (STATUS, BACK),
        "The named alert has ended.",
        "The next person on the list, by phone. Do not wait for another quarter of an hour.",
    ),
    "LogPipelineDropping": Guide(
        "The log pipeline throws lines away.",
        "Lines will be missing when somebody looks for them.",
        ("See its pods: `kubectl -n LOGGING get pods`", "Look whether its buffer or its store is full."),
        (
            ("The store refuses or is slow", "Make room there, or give it more resources"),
            ("One app writes very much", "Tell its owners; a loop of errors is the usual cause"),
        ),
        ("kubectl -n LOGGING get pods",),
        "No line is lost for ten minutes.",
        _WATCH,
    ),
    "MonitoringImpaired": Guide(
        "A part of the monitoring sees nothing; the label `fault` says which: exporter, login, rules, configuration,"
        " targets, query or delivery.",
        "Alerts that depend on it stay silent, whatever happens.",
        (
            "Read the label `fault` and the text of the alert.",
            f"See the pods of the monitoring: `{_MONITORING}`",
            f"See the pods of the app: `{PODS}`",
        ),
        (
            (
                "fault is login",
                "No connection is left (PostgresConnectionsExhausted), or the login of the exporter is gone",
            ),
            ("fault is exporter", f"The log of the database names the query: `{DATABASE_LOGS}`"),
            (
                "fault is query",
                "The log names the cause: `kubectl -n NAMESPACE logs deploy/APP-golive-exporter --all-containers`",
            ),
            ("fault is rules", "A rule was changed by hand: run site to have the right ones"),
            ("fault is configuration", "Take the newest change of the configuration back"),
            ("fault is targets", f"A pod is gone or a network policy is in the way: `{EVENTS}`"),
            ("fault is delivery", "The receiver is down; AlertDeliveryFailing follows if it stays so"),
        ),
        (SITE,),
        "The alert ends ten minutes after its cause.",
        _WATCH,
    ),
}
