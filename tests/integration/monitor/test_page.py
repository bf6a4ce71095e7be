# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the panels: drawn from a real Prometheus, and looked at in a real browser."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import perform
from ansible_collections.golive.cutover.plugins.modules import monitor_page
from tests.browser import look_at
from tests.integration.prometheus import Prometheus

SHOP = 'namespace="shop",app="shop"'
# What the rules of the app would have recorded.
LINES = {
    f'probe_success{{{SHOP},role="external"}}': 1.0,
    f"app:error_budget:remaining_30d{{{SHOP}}}": -0.25,
    f'http_requests_total{{{SHOP},code="200",colour="blue"}}': 1000.0,
    f"app:http_requests:rate5m{{{SHOP}}}": 20.0,
    f"app:http_error:ratio_rate5m{{{SHOP}}}": 0.02,
    f"app:http_latency_seconds:p95_5m{{{SHOP}}}": 0.25,
    f"app:memory:limit_ratio{{{SHOP}}}": 0.5,
    f'ALERTS{{{SHOP},alertname="AppErrorRateCritical",alertstate="firing",severity="critical"}}': 1.0,
}


@pytest.fixture(scope="module")
def measured() -> Iterator[Prometheus]:
    """A Prometheus with two scrapes of all of it."""
    server = Prometheus.create()
    try:
        server.exporter.lines.update(LINES)
        server.await_value(f"count_over_time(app:http_requests:rate5m{{{SHOP}}}[1m]) >= bool 3", 1.0)
        yield server
    finally:
        server.remove()


def options(url: str, folder: Path, **more: Any) -> dict[str, Any]:
    given = {
        "output": str(folder / "made" / "shop.html"),
        "watched": {"app": "shop", "database": "none"},
        "dashboards": ["main"],
        "hours": 0.02,
        "interval": 1,
        "prometheus": {"url": url},
        "tunnel": None,
    }
    return {**given, **more}


def draw(given: dict[str, Any], check: bool = False) -> dict[str, Any]:
    return perform(monitor_page.run, call_for_tests(given, check))


def test_it_is_drawn_and_a_browser_shows_it(measured: Prometheus, tmp_path: Path) -> None:
    told = draw(options(measured.url, tmp_path))
    page = Path(told["page"])
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert told["alerts"] == ["AppErrorRateCritical"]
    empty = {one["query"]: one["reason"] for panel in told["panels"] for one in panel["empty"]}
    assert empty["CPU"] == "the pods have no CPU limit"
    assert empty["p99"] is None
    assert empty["most pods"] == "the app has no autoscaler"
    assert "memory" not in empty

    seen = look_at(page, tmp_path)
    assert seen.complaints == []
    for text in (
        "1 alert fires",
        "AppErrorRateCritical",
        "Share of errors",
        "5 minutes 2 %",
        "error budget left",
        "-25 %",
    ):
        assert text in seen.text, text
    assert "p95 250 ms" in seen.text
    assert "No data: most pods (the app has no autoscaler)" in seen.text
    # The badge of a critical alert, and the first line of a chart.
    assert seen.has("#fde5d7")
    assert seen.has("#0072b2")
    text = page.read_text()
    assert "AppErrorRateCritical.md" in text
    assert "<script" not in text
    assert " src=" not in text


def test_quartet(measured: Prometheus, tmp_path: Path) -> None:
    given = options(measured.url, tmp_path)
    assert draw(given, check=True)["changed"] is True
    assert not (tmp_path / "made").exists()
    assert draw(given)["changed"] is True
    before = Path(given["output"]).read_text()
    assert draw(given, check=True)["changed"] is True
    assert Path(given["output"]).read_text() == before
    # Each page is of another moment.
    assert draw(given)["changed"] is True


def test_every_dashboard_can_be_drawn(measured: Prometheus, tmp_path: Path) -> None:
    every = ["main", "postgres", "cut-over", "self-check"]
    told = draw(
        options(measured.url, tmp_path, dashboards=every, watched={"app": "shop", "standbys": 1, "jobs": ["app"]})
    )
    assert len(told["panels"]) > 30
    assert "cut-over room" in Path(told["page"]).read_text()


def test_what_cannot_be_drawn_is_refused_and_the_last_page_stays(measured: Prometheus, tmp_path: Path) -> None:
    given = options(measured.url, tmp_path)
    draw(given)
    before = Path(given["output"]).read_text()
    for more, code, words in (
        ({"watched": {"app": "shop", "profile": "x"}}, "invalid", "profile must be one of"),
        ({"hours": 0.0}, "invalid", "hours is 0"),
        ({"hours": 10000.0}, "invalid", "at most 744"),
        ({"interval": 0}, "invalid", "interval is 0"),
        ({"prometheus": None}, "invalid", "where Prometheus is"),
        ({"prometheus": {"url": "http://127.0.0.1:9"}}, "prometheus_down", "127.0.0.1:9"),
        ({"output": "/proc/golive/shop.html"}, "not_writable", "/proc/golive"),
    ):
        with pytest.raises(GoliveError, match=words) as caught:
            monitor_page.run(call_for_tests({**given, **more}))
        assert caught.value.code == code
    assert Path(given["output"]).read_text() == before
