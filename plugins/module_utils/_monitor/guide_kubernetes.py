# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do when an alert of pods and their surroundings fires."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.commands import (
    BACK,
    EVENTS,
    LOGS,
    MIGRATE,
    PLAN,
    PODS,
    RELEASE,
    SITE,
    STATUS,
    TOP,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import Guide

_PLATFORM = "The people who run the cluster."
_OWNERS = "The people who wrote the app. Bring the log of the pod."

GUIDES = {
    "PodRestarting": Guide(
        "A pod crashes again and again, or waits for its image or its configuration.",
        "One pod less serves. If all do it, the app is down.",
        (
            f"See the pod: `{PODS}`",
            "Read why it ended: `kubectl -n NAMESPACE logs POD --previous --tail=50`",
            "Read what it waits for: `kubectl -n NAMESPACE describe pod POD | tail -20`",
        ),
        (
            ("OOMKilled", "Go on with AppMemoryCritical"),
            ("ErrImagePull, ImagePullBackOff", "The version does not exist, or `app_pull_secrets` is wrong"),
            ("CreateContainerConfigError", "A Secret or a key is missing: describe names it"),
            ("It crashes since the release", "Go back"),
        ),
        (BACK, SITE),
        "The pod is ready and does not restart for half an hour.",
        _OWNERS,
    ),
    "RolloutStuck": Guide(
        "A Deployment does not reach the state that was asked for.",
        "The old pods still serve. The new version is not there, and the next release may be refused.",
        (f"See the pods: `{PODS}`", f"See why: `{EVENTS}`", f"See what is live: `{STATUS}`"),
        (
            ("New pods do not start", "Go on with PodRestarting"),
            ("Nothing happens at all", "The controller of the cluster is at fault"),
            ("A release was interrupted", "Run the same release again: it goes on where it stopped"),
        ),
        (RELEASE, BACK),
        "The Deployment says Progressing=True and its generations are equal.",
        _PLATFORM,
    ),
    "HpaAtMaximum": Guide(
        "The autoscaler runs as many pods as it may.",
        "There is no room for more traffic.",
        ("See the load and the bounds: `kubectl -n NAMESPACE get hpa`", f"See what the pods use: `{TOP}`"),
        (
            ("Traffic is really that high", "Raise `app_autoscaling.max`; look at the quota first"),
            ("Traffic is as usual", "Each pod has become slower: look at the newest release"),
        ),
        (PLAN, SITE),
        "The number of pods is below the maximum.",
        _PLATFORM,
    ),
    "PdbBlocksEviction": Guide(
        "No pod of this group may be moved, because too few are healthy or because the budget is too strict.",
        "A node cannot be drained: maintenance and upgrades wait.",
        ("See the budget: `kubectl -n NAMESPACE get pdb`", f"See the pods: `{PODS}`"),
        (
            ("A pod is not ready", "Mend it first; the budget does its work"),
            ("All are ready", "It asks for all of them: give the app one more replica"),
        ),
        (SITE,),
        "`kubectl -n NAMESPACE get pdb` shows at least one allowed disruption.",
        _PLATFORM,
    ),
    "QuotaNearlyUsed": Guide(
        "The namespace has nearly used up what it may have.",
        "The next release needs room for a second colour and would be refused.",
        ("See what is used: `kubectl -n NAMESPACE describe resourcequota`", f"See which pods are there: `{PODS}`"),
        (
            ("Old Jobs or pods are left over", "Delete them"),
            ("It is all needed", "Ask for a larger quota before the next release"),
        ),
        (PLAN,),
        "Less than nine tenths are used.",
        _PLATFORM,
    ),
    "JobFailed": Guide(
        "A Job has failed and none of its pods has succeeded.",
        "What it was for is not done: a migration, a backup, a clean-up.",
        (
            "See which one: `kubectl -n NAMESPACE get jobs`",
            "Read its log: `kubectl -n NAMESPACE logs job/JOB --tail=50`",
        ),
        (
            ("It is a migration", "Go on with MigrationFailed"),
            ("It belongs to a CronJob and the next run worked", "Delete the failed Job"),
            ("It fails each time", f"Read the log of the app as well: `{LOGS}`"),
        ),
        (MIGRATE, "kubectl -n NAMESPACE delete job JOB"),
        "The Job has succeeded, or is gone and the next run has.",
        _OWNERS,
    ),
}
