# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the numbers of requests come from: each source names the same things in its own way."""

from __future__ import annotations

from collections.abc import Mapping

_ENVOY = "envoy_cluster_upstream_rq"
_PLAIN = "http_request_duration_seconds"
_OTEL = "http_server_request_duration_seconds"

# ``fast`` are the requests of up to a second, ``scale`` turns the quantiles into seconds, ``code`` is
# the label with the status or its class. Prometheus 3 writes 1 as 1.0.
SOURCES: Mapping[str, Mapping[str, str]] = {
    "prometheus": {
        "code": "code",
        "requests": "http_requests_total{$app}",
        "errors": 'http_requests_total{$app,code=~"5.."}',
        "bucket": f"{_PLAIN}_bucket{{$app}}",
        "fast": f'{_PLAIN}_bucket{{$app,le=~"1|1[.]0"}}',
        "count": f"{_PLAIN}_count{{$app}}",
        "scale": "",
    },
    "opentelemetry": {
        "code": "http_response_status_code",
        "requests": f"{_OTEL}_count{{$app}}",
        "errors": f'{_OTEL}_count{{$app,http_response_status_code=~"5.."}}',
        "bucket": f"{_OTEL}_bucket{{$app}}",
        "fast": f'{_OTEL}_bucket{{$app,le=~"1|1[.]0"}}',
        "count": f"{_OTEL}_count{{$app}}",
        "scale": "",
    },
    "envoy": {
        "code": "envoy_response_code_class",
        "requests": f"{_ENVOY}_xx{{$app}}",
        "errors": f'{_ENVOY}_xx{{$app,envoy_response_code_class="5"}}',
        "bucket": f"{_ENVOY}_time_bucket{{$app}}",
        "fast": f'{_ENVOY}_time_bucket{{$app,le=~"1000|1000[.]0"}}',
        "count": f"{_ENVOY}_time_count{{$app}}",
        "scale": " / 1000",
    },
}
