# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do when an alert of an app fires."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.commands import (
    ADDRESSES,
    BACK,
    BACK_TO,
    EVENTS,
    LOGS,
    PLAN,
    PODS,
    RELEASE,
    SITE,
    STATUS,
    TOP,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import Guide

_OWNERS = "The people who wrote the app, when the cause is in its code. Bring the version and ten lines of its log."
_PLATFORM = "The people who run the cluster, when nodes, DNS, the gateway or the load balancer are at fault."
_FAILED_OVER = "A release within the last hour: the old version still stands beside it"

GUIDES = {
    "AppUnreachable": Guide(
        "Probes from outside, as users come, get no answer. It may be DNS, the certificate, the gateway or the app.",
        "Nobody can use the app. Every minute counts as downtime.",
        (
            "Open the app's address from outside. Note what you see: no name, no connection, a warning, an error page.",
            f"See what is live: `{STATUS}`",
            f"See whether its pods run: `{PODS}`",
            f"See whether the Service has addresses: `{ADDRESSES}`",
        ),
        (
            ("The name does not resolve", "Look at the DNS zone; nothing in the cluster helps"),
            ("The certificate is refused", "Go on with CertificateExpiryCritical"),
            ("Pods are ready, the Service has addresses, inside it answers", "It is the gateway or the load balancer"),
            ("Pods are not ready", f"Look at their log: `{LOGS}`"),
            (_FAILED_OVER, "Go back, ask later"),
            ("No pod is there at all", "Bring back what the inventory says"),
        ),
        (BACK, SITE),
        "The address answers from outside and the alert ends five minutes later.",
        _PLATFORM,
    ),
    "AppErrorBudgetBurnFast": Guide(
        "So many requests fail that the errors allowed for 30 days are used up within hours.",
        "Users get errors. If it goes on, the objective of this month is lost.",
        (
            f"See what is live since when: `{STATUS}`",
            f"Read the newest errors: `{LOGS}`",
            "Find the worst route: sum the errors in Prometheus by the label that names it, such as path.",
            "Look for another alert at the same time: the database, memory or a certificate explain most bursts.",
        ),
        (
            (_FAILED_OVER, "Go back now; the log stays for later"),
            ("It began without a release", "Look at the database and at services that the app calls"),
            ("A single route fails", "Tell the app's owners; switch the feature off if there is a switch"),
        ),
        (BACK,),
        "The share of errors falls below the objective; the alert ends within six minutes of that.",
        _OWNERS,
    ),
    "AppLatencyBudgetBurnFast": Guide(
        "So many requests take longer than a second that what is allowed for 30 days is used up within hours.",
        "Users wait. Some give up and try again, which makes it worse.",
        (
            f"See what is live since when: `{STATUS}`",
            f"See CPU and memory of the pods: `{TOP}`",
            "Look for PostgresLockWaits, PostgresConnectionsHigh or AppCpuHigh at the same time.",
        ),
        (
            (_FAILED_OVER, "Go back now"),
            ("Pods are at their CPU limit", "Raise `app_autoscaling` or `app_resources`, then run site"),
            ("Sessions wait in the database", "Go on with PostgresLockWaits"),
            ("Neither", "A service that the app calls is slow; its owners have to know"),
        ),
        (BACK, SITE),
        "The 95th percentile is below one second; the alert ends within six minutes of that.",
        _OWNERS,
    ),
    "AppErrorRateCritical": Guide(
        "More requests than the critical bound allows have failed on the server's side for two minutes.",
        "A visible part of the users gets errors right now.",
        (
            f"See what is live since when: `{STATUS}`",
            f"Read the newest errors: `{LOGS}`",
            f"See whether pods restart: `{PODS}`",
        ),
        (
            (_FAILED_OVER, "Go back now"),
            (
                "The log speaks of the database",
                "Go on with the alert of the database, or with PostgresConnectionsExhausted",
            ),
            ("The log speaks of a service elsewhere", "Its owners have to know; nothing here helps"),
            ("One pod of several fails", "Delete that pod; Kubernetes makes another one"),
        ),
        (BACK,),
        "The share of errors is below the bound; the alert ends five minutes after the cause.",
        _OWNERS,
    ),
    "AppLatencyP95Critical": Guide(
        "One request in twenty takes longer than the critical bound.",
        "The app feels broken, though it answers.",
        (
            f"See what is live since when: `{STATUS}`",
            f"See CPU and memory: `{TOP}`",
            "Compare with the number of requests: much more than usual is load, the same is a fault.",
        ),
        (
            (_FAILED_OVER, "Go back now"),
            ("Much more traffic than usual", "Raise `app_autoscaling.max`, then run site"),
            ("The usual traffic, the database waits", "Go on with PostgresLockWaits or PostgresLongTransaction"),
        ),
        (BACK, SITE),
        "The 95th percentile is below the bound for five minutes.",
        _OWNERS,
    ),
    "AppCpuCritical": Guide(
        "The pods use nearly all of their CPU limit, and requests are slow at the same time.",
        "Every request waits for CPU. More traffic makes it worse quickly.",
        (
            f"See which container it is: `{TOP}`",
            "See whether the autoscaler is at its end: `kubectl -n NAMESPACE get hpa`",
            f"See what is live since when: `{STATUS}`",
        ),
        (
            ("The autoscaler is at its maximum", "Raise `app_autoscaling.max`, then run site"),
            ("There is no autoscaler", "Raise `app_replicas` or the limit in `app_resources`, then run site"),
            (_FAILED_OVER, "Go back: the new version needs more CPU"),
        ),
        (SITE, BACK),
        "CPU is below nine tenths of the limit and the 95th percentile below a second.",
        _OWNERS,
    ),
    "AppMemoryCritical": Guide(
        "A container uses nearly all of its memory limit. Above the limit the kernel kills it at once.",
        "Requests in that pod are cut off when it is killed, and it may happen again and again.",
        (
            f"See which container it is: `{TOP}`",
            "See whether it was killed before: `kubectl -n NAMESPACE get pods -o wide` shows restarts",
            "See whether it grows steadily (a leak) or jumped (a large request) in the memory panel.",
        ),
        (
            ("It grows steadily since the release", "Go back"),
            ("It grows steadily for days", "Restart the pods one by one now, fix the leak this week"),
            ("It is simply too small", "Raise the limit in `app_resources`, then run site"),
        ),
        (BACK, SITE, "kubectl -n NAMESPACE rollout restart deployment/APP-COLOUR"),
        "Memory stays below 95 % of the limit for half an hour.",
        _OWNERS,
    ),
    "AppReplicasUnavailable": Guide(
        "Most pods of one colour cannot serve. Each colour is judged by itself, so that a warm standby hides nothing.",
        "If it is the live colour, users get errors or wait. If it is the standby, a rollback at once is not possible.",
        (
            f"See which colour is live: `{STATUS}`",
            f"See the pods: `{PODS}`",
            f"See why they do not start: `{EVENTS}`",
        ),
        (
            ("The live colour, and the standby is healthy", "Go back: it takes seconds"),
            ("Pods are pending", "There is no room: nodes, quota or a volume; EVENTS names it"),
            ("Pods crash", f"Read their log: `{LOGS}`"),
            ("The image cannot be pulled", "Look at the registry and at `app_pull_secrets`"),
        ),
        (BACK, SITE),
        "At least half of the pods of both colours are available.",
        _PLATFORM,
    ),
    "AppErrorBudgetBurnSlow": Guide(
        "More requests fail than the objective allows, slowly but for days.",
        "Few users notice, but at this rate the errors allowed for the month do not last.",
        (
            "Find the worst routes of the last day in the traffic panel.",
            f"See which release it began with: `{STATUS}`",
        ),
        (
            ("It began with a release", "Fix it in the next one, or go back to the version before"),
            ("It began with more traffic", "Look at the limits of the app and of the database"),
        ),
        (BACK_TO, RELEASE),
        "The share of errors over six hours is below the objective.",
        _OWNERS,
    ),
    "AppLatencyBudgetBurnSlow": Guide(
        "More requests take longer than a second than the objective allows, slowly but for days.",
        "The app feels a little slow. At this rate the month's allowance does not last.",
        (
            "Find the slowest routes of the last day.",
            "Look at the panels of the database: cache, dead rows and locks explain most slow decline.",
        ),
        (
            ("It began with a release", "Fix it in the next one"),
            ("Tables have grown", "Ask the owners for the queries without an index"),
        ),
        (RELEASE,),
        "The share of slow requests over six hours is below the objective.",
        _OWNERS,
    ),
    "AppLatencyP95High": Guide(
        "One request in twenty takes longer than the warning bound.",
        "Users notice. It may become AppLatencyP95Critical.",
        (
            f"See CPU and memory: `{TOP}`",
            f"See what is live since when: `{STATUS}`",
        ),
        (
            ("It began with a release", "Prepare to go back; do it if it gets worse"),
            ("It comes each day at this hour", "Give the app more room: `app_autoscaling`, `app_resources`"),
        ),
        (SITE, BACK),
        "The 95th percentile is below the bound for ten minutes.",
        _OWNERS,
    ),
    "AppUptimeBelowTarget": Guide(
        "Over the last 30 days the app could be reached less than was promised.",
        "Nothing is broken now. The promise of this month is.",
        (
            "List the outages of the month from the history of AppUnreachable.",
            "Look whether an end is in sight: old outages leave the window by themselves.",
        ),
        (
            ("Most of it was one outage", "Its review must have an owner and a date"),
            ("Many short ones", "Stop risky changes until the cause is known; a freeze does it"),
        ),
        (STATUS,),
        "The share over 30 days rises again.",
        "Whoever promised the uptime; they may have to tell customers.",
    ),
    "AppCpuHigh": Guide(
        "The pods use most of their CPU limit.",
        "No user notices yet. There is little room for more traffic.",
        (f"See which container it is: `{TOP}`", "See the autoscaler: `kubectl -n NAMESPACE get hpa`"),
        (
            ("The autoscaler is at its maximum", "Raise `app_autoscaling.max`, then run site"),
            ("It began with a release", "Ask the owners what has become dearer"),
        ),
        (PLAN, SITE),
        "CPU is below eight tenths of the limit.",
        _OWNERS,
    ),
    "AppMemoryHigh": Guide(
        "A container uses most of its memory limit.",
        "No user notices yet. Above the limit it is killed.",
        (f"See which container it is: `{TOP}`", "Look whether it grows steadily: that is a leak."),
        (
            ("It grows steadily", "Tell the owners now, while there is time"),
            ("It is simply too small", "Raise the limit in `app_resources`, then run site"),
        ),
        (PLAN, SITE),
        "Memory is below 85 % of the limit.",
        _OWNERS,
    ),
    "AppTrafficDropped": Guide(
        "The app gets far fewer requests than at this hour a week ago, or yesterday while it is new.",
        "Users may not reach it, though everything here looks healthy.",
        (
            "Open the app's address from outside, by the name that users know.",
            "Look whether it is a holiday, or the end of a campaign.",
            f"See what is live: `{STATUS}`",
        ),
        (
            ("DNS or a load balancer was changed today", "Take the change back"),
            ("A move to this place has just been made", "Users are still led to the old one: look at its DNS entry"),
            ("Everything answers and it is a quiet day", "Nothing to do"),
        ),
        (STATUS,),
        "The number of requests is back to what is usual.",
        _PLATFORM,
    ),
    "AppErrorsLowTraffic": Guide(
        "With few requests the error rates say nothing, so errors are counted: too many in six hours.",
        "The few users that there are get errors.",
        (f"Read the errors: `{LOGS}`", f"See what is live since when: `{STATUS}`"),
        (
            ("It began with a release", "Go back"),
            ("It is one client that sends nonsense", "Tell its owners; a 4xx would be the right answer"),
        ),
        (BACK,),
        "No new errors in the log; the alert ends when six hours hold fewer of them.",
        _OWNERS,
    ),
}
