// Copyright (c) 2026, Cutover contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

type meta struct {
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Generation int64  `json:"generation"`
}

type pods struct {
	Items []struct {
		Metadata meta `json:"metadata"`
		Spec     struct {
			NodeName   string `json:"nodeName"`
			Containers []struct {
				Name      string `json:"name"`
				Resources struct {
					Limits map[string]string `json:"limits"`
				} `json:"resources"`
			} `json:"containers"`
		} `json:"spec"`
		Status struct {
			Phase             string `json:"phase"`
			ContainerStatuses []struct {
				Name         string `json:"name"`
				RestartCount int    `json:"restartCount"`
				State        struct {
					Waiting *struct {
						Reason string `json:"reason"`
					} `json:"waiting"`
				} `json:"state"`
			} `json:"containerStatuses"`
		} `json:"status"`
	} `json:"items"`
}

type deployments struct {
	Items []struct {
		Metadata meta `json:"metadata"`
		Spec     struct {
			Replicas int `json:"replicas"`
		} `json:"spec"`
		Status struct {
			AvailableReplicas  int   `json:"availableReplicas"`
			ObservedGeneration int64 `json:"observedGeneration"`
			Conditions         []struct {
				Type, Status, Reason string
			} `json:"conditions"`
		} `json:"status"`
	} `json:"items"`
}

type autoscalers struct {
	Items []struct {
		Metadata meta `json:"metadata"`
		Spec     struct {
			MaxReplicas int `json:"maxReplicas"`
		} `json:"spec"`
		Status struct {
			CurrentReplicas int `json:"currentReplicas"`
		} `json:"status"`
	} `json:"items"`
}

type budgets struct {
	Items []struct {
		Metadata meta `json:"metadata"`
		Status   struct {
			DisruptionsAllowed int `json:"disruptionsAllowed"`
			ExpectedPods       int `json:"expectedPods"`
		} `json:"status"`
	} `json:"items"`
}

type quotas struct {
	Items []struct {
		Metadata meta `json:"metadata"`
		Status   struct {
			Hard map[string]string `json:"hard"`
			Used map[string]string `json:"used"`
		} `json:"status"`
	} `json:"items"`
}

type jobs struct {
	Items []struct {
		Metadata meta `json:"metadata"`
		Status   struct {
			Failed    int `json:"failed"`
			Succeeded int `json:"succeeded"`
		} `json:"status"`
	} `json:"items"`
}

// describe writes every series of a namespace.
func (a *api) describe(w io.Writer, namespace string) error {
	var (
		pod        pods
		deployment deployments
		autoscaler autoscalers
		budget     budgets
		quota      quotas
		job        jobs
	)
	in := "/namespaces/" + namespace + "/"
	for path, into := range map[string]any{
		"/api/v1" + in + "pods":                                  &pod,
		"/apis/apps/v1" + in + "deployments":                     &deployment,
		"/apis/autoscaling/v2" + in + "horizontalpodautoscalers": &autoscaler,
		"/apis/policy/v1" + in + "poddisruptionbudgets":          &budget,
		"/api/v1" + in + "resourcequotas":                        &quota,
		"/apis/batch/v1" + in + "jobs":                           &job,
	} {
		if err := a.list(path, into); err != nil {
			return err
		}
	}
	write := func(name string, value float64, labels ...string) {
		fmt.Fprintf(w, "%s{namespace=%q", name, namespace)
		for at := 0; at < len(labels); at += 2 {
			fmt.Fprintf(w, ",%s=%q", labels[at], labels[at+1])
		}
		fmt.Fprintf(w, "} %s\n", strconv.FormatFloat(value, 'g', -1, 64))
	}
	pod.describe(write)
	deployment.describe(write)
	for _, one := range autoscaler.Items {
		name := []string{"horizontalpodautoscaler", one.Metadata.Name}
		write("kube_horizontalpodautoscaler_status_current_replicas", float64(one.Status.CurrentReplicas), name...)
		write("kube_horizontalpodautoscaler_spec_max_replicas", float64(one.Spec.MaxReplicas), name...)
	}
	for _, one := range budget.Items {
		name := []string{"poddisruptionbudget", one.Metadata.Name}
		write("kube_poddisruptionbudget_status_pod_disruptions_allowed", float64(one.Status.DisruptionsAllowed), name...)
		write("kube_poddisruptionbudget_status_expected_pods", float64(one.Status.ExpectedPods), name...)
	}
	for _, one := range quota.Items {
		for kind, values := range map[string]map[string]string{"hard": one.Status.Hard, "used": one.Status.Used} {
			for resource, value := range values {
				write("kube_resourcequota", quantity(value), "resourcequota", one.Metadata.Name, "resource", resource, "type", kind)
			}
		}
	}
	for _, one := range job.Items {
		write("kube_job_status_failed", float64(one.Status.Failed), "job_name", one.Metadata.Name)
		write("kube_job_status_succeeded", float64(one.Status.Succeeded), "job_name", one.Metadata.Name)
	}
	return nil
}

func (p pods) describe(write func(string, float64, ...string)) {
	for _, one := range p.Items {
		if one.Status.Phase == "Succeeded" || one.Status.Phase == "Failed" {
			continue
		}
		for _, container := range one.Spec.Containers {
			for resource, limit := range container.Resources.Limits {
				unit := map[string]string{"cpu": "core", "memory": "byte"}[resource]
				write("kube_pod_container_resource_limits", quantity(limit), "pod", one.Metadata.Name, "uid", one.Metadata.UID,
					"container", container.Name, "node", one.Spec.NodeName, "resource", resource, "unit", unit)
			}
		}
		for _, container := range one.Status.ContainerStatuses {
			labels := []string{"pod", one.Metadata.Name, "uid", one.Metadata.UID, "container", container.Name}
			write("kube_pod_container_status_restarts_total", float64(container.RestartCount), labels...)
			if container.State.Waiting != nil {
				write("kube_pod_container_status_waiting_reason", 1, append(labels, "reason", container.State.Waiting.Reason)...)
			}
		}
	}
}

func (d deployments) describe(write func(string, float64, ...string)) {
	for _, one := range d.Items {
		name := []string{"deployment", one.Metadata.Name}
		write("kube_deployment_spec_replicas", float64(one.Spec.Replicas), name...)
		write("kube_deployment_status_replicas_available", float64(one.Status.AvailableReplicas), name...)
		write("kube_deployment_metadata_generation", float64(one.Metadata.Generation), name...)
		write("kube_deployment_status_observed_generation", float64(one.Status.ObservedGeneration), name...)
		for _, condition := range one.Status.Conditions {
			for _, status := range []string{"true", "false", "unknown"} {
				value := 0.0
				if strings.EqualFold(condition.Status, status) {
					value = 1
				}
				write("kube_deployment_status_condition", value, append(name,
					"condition", condition.Type, "status", status, "reason", condition.Reason)...)
			}
		}
	}
}

// quantity reads what Kubernetes writes, such as 100m and 64Mi, as cores and bytes.
func quantity(text string) float64 {
	factors := []struct {
		suffix string
		factor float64
	}{
		{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40},
		{"m", 1e-3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12},
	}
	for _, one := range factors {
		if number, found := strings.CutSuffix(text, one.suffix); found {
			value, _ := strconv.ParseFloat(number, 64)
			return value * one.factor
		}
	}
	value, _ := strconv.ParseFloat(text, 64)
	return value
}
