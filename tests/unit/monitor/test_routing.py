# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets which alert, and that no credential gets into the configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.filter.alertmanager_routing import alertmanager_routing

HOOK = {"url_secret": {"name": "notify", "key": "url"}}


def routed(**wish: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"receivers": [], "routes": [], "muted": []}
    return alertmanager_routing({**usual, **dict.fromkeys(("receiver", "heartbeat", "escalation"), ""), **wish})


def test_without_receivers_nobody_is_told() -> None:
    made = routed()
    assert made["config"]["receivers"] == [{"name": "nobody"}]
    assert {route["receiver"] for route in made["config"]["route"]["routes"]} == {"nobody"}
    assert made["secrets"] == []


def test_credentials_are_files_of_secrets() -> None:
    mail = {"to": "ops@example.org", "auth_password_secret": {"name": "mail", "key": "password"}}
    page = {"routing_key_secret": {"name": "pager", "key": "key"}, "http_config": {"proxy_url": "http://proxy:3128"}}
    bearer = {"authorization": {"credentials_secret": {"name": "notify", "key": "token"}}}
    made = routed(
        receivers=[
            {"name": "team", "webhook_configs": [{**HOOK, "http_config": bearer}], "email_configs": [mail]},
            {"name": "pager", "pagerduty_configs": [page]},
        ],
        heartbeat="pager",
    )
    team, pager, _nobody = made["config"]["receivers"]
    assert team["webhook_configs"][0]["url_file"] == "/etc/golive/secrets/notify/url"
    credentials = team["webhook_configs"][0]["http_config"]["authorization"]
    assert credentials == {"credentials_file": "/etc/golive/secrets/notify/token"}
    assert team["email_configs"][0]["auth_password_file"] == "/etc/golive/secrets/mail/password"
    assert pager["pagerduty_configs"][0]["routing_key_file"] == "/etc/golive/secrets/pager/key"
    assert made["secrets"] == ["mail", "notify", "pager"]
    assert "_secret" not in json.dumps(made["config"])


def test_the_routes_of_a_team_go_before_the_usual_ones() -> None:
    extra = {"matchers": ['severity="warning"'], "receiver": "chat"}
    receivers = [{"name": name, "webhook_configs": [HOOK]} for name in ("team", "chat", "beat")]
    route = routed(receivers=receivers, heartbeat="beat", routes=[extra])["config"]["route"]
    assert route["receiver"] == "team"
    assert [one["receiver"] for one in route["routes"]] == ["beat", "chat", "team"]
    assert route["routes"][0]["repeat_interval"] == "1m"
    assert route["routes"][2]["repeat_interval"] == "1h"


def test_what_stays_critical_goes_to_the_second_line_as_well() -> None:
    receivers = [{"name": name, "webhook_configs": [HOOK]} for name in ("team", "second")]
    routes = routed(receivers=receivers, escalation="second")["config"]["route"]["routes"]
    assert [(one["receiver"], one.get("continue", False)) for one in routes] == [
        ("nobody", False),
        ("second", True),
        ("team", False),
    ]


def test_warnings_alone_are_kept_back_in_a_freeze() -> None:
    weekend = {"weekdays": ["saturday", "sunday"], "location": "Europe/Berlin"}
    config = routed(muted=[weekend])["config"]
    assert config["time_intervals"] == [{"name": "muted", "time_intervals": [weekend]}]
    muted = [one["matchers"] for one in config["route"]["routes"] if "mute_time_intervals" in one]
    assert muted == [['severity="warning"']]
    assert "time_intervals" not in routed()["config"]


def test_an_outage_mutes_what_follows_from_it_and_not_itself() -> None:
    import re

    from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import NAMES

    rule = routed()["config"]["inhibit_rules"][1]
    pattern = rule["target_matchers"][0].partition("=~")[2].strip('"')
    muted = {name for name in NAMES if re.fullmatch(pattern, name)}
    assert {"AppErrorRateCritical", "AppLatencyP95Critical", "AppErrorBudgetBurnFast", "AppTrafficDropped"} <= muted
    assert not muted & {"AppUnreachable", "AppReplicasUnavailable", "AppUptimeBelowTarget", "AppMemoryCritical"}


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"receivers": [{"webhook_configs": [HOOK]}]}, r"receivers\[0\] needs a name"),
        ({"receivers": [{"name": "a", "webhook_configs": HOOK}]}, "is no list"),
        ({"receivers": [{"name": "a"}, {"name": "a"}]}, "a is there twice"),
        ({"receivers": [{"name": "a", "webhook_configs": [{"url": "https://x"}]}]}, "url must be in a Secret"),
        ({"receivers": [{"name": "a", "slack_configs": [{"api_url": "https://x"}]}]}, "api_url must be in a Secret"),
        ({"receivers": [{"name": "a", "email_configs": [{"auth_password": "x"}]}]}, "auth_password must be"),
        ({"receivers": [{"name": "a", "webhook_configs": [{"url_secret": {"name": "x"}}]}]}, "needs the name of a"),
        (
            {"receivers": [{"name": "a", "webhook_configs": [{"url_secret": {"name": "../x", "key": "k"}}]}]},
            "name of a",
        ),
        ({"routes": [{"routes": [{"receiver": "b"}]}]}, r"routes\[0\].routes\[0\].receiver: there is no receiver b"),
        ({"receiver": "b"}, "receiver: there is no receiver b"),
        ({"heartbeat": "b"}, "heartbeat: there is no receiver b"),
        ({"escalation": "b"}, "escalation: there is no receiver b"),
        ({"muted": [{"weekday": "sunday"}]}, r"muted\[0\] is no time interval"),
    ],
)
def test_a_wrong_setting_is_told(wish: dict[str, Any], told: str) -> None:
    with pytest.raises(AnsibleFilterError, match=told):
        routed(**wish)


def test_a_credential_deep_inside_is_found_and_not_shown() -> None:
    basic = {"http_config": {"basic_auth": {"username": "x", "password": "hunter2"}}}
    with pytest.raises(AnsibleFilterError, match=r"basic_auth\.password must be in a Secret") as error:
        routed(receivers=[{"name": "a", "webhook_configs": [{**HOOK, **basic}]}], receiver="b")
    assert "there is no receiver b" in str(error.value)
    assert "hunter2" not in str(error.value)
