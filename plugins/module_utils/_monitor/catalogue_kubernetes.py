# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods, rollouts, quota and Jobs of an app, as kube-state-metrics names them."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL, WARNING, Alert

_WAITING = (
    "CrashLoopBackOff|ImagePullBackOff|ErrImagePull|ErrImageNeverPull|InvalidImageName"
    "|CreateContainerConfigError|CreateContainerError|RunContainerError"
)
_BY = "by (cluster, namespace, deployment)"

ALERTS = (
    # Each colour by itself: a warm standby must not stand in for the live one. A colour at 0 is meant to be there.
    Alert(
        "C08",
        "AppReplicasUnavailable",
        CRITICAL,
        120,
        f"sum {_BY} (kube_deployment_status_replicas_available{{$ns,deployment=~$deployments}})"
        f" < $replicas_share * (sum {_BY} (kube_deployment_spec_replicas{{$ns,deployment=~$deployments}}) > 0)",
        "kubernetes",
        "Most pods of {{ $labels.deployment }} are not available",
        "Only {{ $value }} of its pods can serve.",
    ),
    Alert(
        "W08",
        "PodRestarting",
        WARNING,
        300,
        "sum by (cluster, namespace, pod)"
        " (increase(kube_pod_container_status_restarts_total{$ns,pod=~$mine}[30m])) > $restarts"
        " or max by (cluster, namespace, pod)"
        f' (kube_pod_container_status_waiting_reason{{$ns,pod=~$mine,reason=~"{_WAITING}"}}) == 1',
        "kubernetes",
        "{{ $labels.pod }} does not come up or restarts again and again",
        "A container of it waits for its image or its configuration, or has crashed several times in half an hour.",
    ),
    Alert(
        "W09",
        "RolloutStuck",
        WARNING,
        600,
        'kube_deployment_status_condition{$ns,deployment=~$deployments,condition="Progressing",status="false"} == 1'
        " or kube_deployment_status_observed_generation{$ns,deployment=~$deployments}"
        " != kube_deployment_metadata_generation{$ns,deployment=~$deployments}",
        "kubernetes",
        "The rollout of {{ $labels.deployment }} goes no further",
        "Kubernetes gave it up, or has not looked at the newest version of it.",
    ),
    Alert(
        "W10",
        "HpaAtMaximum",
        WARNING,
        900,
        "kube_horizontalpodautoscaler_status_current_replicas{$ns,horizontalpodautoscaler=~$mine}"
        " == kube_horizontalpodautoscaler_spec_max_replicas{$ns,horizontalpodautoscaler=~$mine}",
        "kubernetes",
        "{{ $labels.horizontalpodautoscaler }} cannot scale any further",
        "It runs {{ $value }} pods, the most it may.",
    ),
    # A single pod that must stay is a choice, not a fault.
    Alert(
        "W11",
        "PdbBlocksEviction",
        WARNING,
        1800,
        "kube_poddisruptionbudget_status_pod_disruptions_allowed{$ns,poddisruptionbudget=~$mine} == 0"
        " and on (cluster, namespace, poddisruptionbudget)"
        " kube_poddisruptionbudget_status_expected_pods{$ns,poddisruptionbudget=~$mine} > 1",
        "kubernetes",
        "{{ $labels.poddisruptionbudget }} lets no pod be moved",
        "A node that is drained for maintenance would wait for it.",
    ),
    Alert(
        "W12",
        "QuotaNearlyUsed",
        WARNING,
        900,
        'kube_resourcequota{$ns,type="used"} / ignoring (type) (kube_resourcequota{$ns,type="hard"} > 0)'
        " > $quota_warning",
        "kubernetes",
        "{{ $labels.resource }} of the namespace's quota is nearly used up",
        "{{ $value | humanizePercentage }} of it are taken. A release needs room for two colours.",
    ),
    Alert(
        "W13",
        "JobFailed",
        WARNING,
        300,
        "kube_job_status_failed{$ns} > 0 unless on (cluster, namespace, job_name) kube_job_status_succeeded{$ns} > 0",
        "kubernetes",
        "Job {{ $labels.job_name }} has failed",
        "{{ $value }} of its pods have failed and none has succeeded.",
    ),
)
