# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages to real receivers on loopback, as they arrive there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apprise.plugins.slack
import pytest

from tests.integration.notify.conftest import Say
from tests.receivers.mail import taking_mail
from tests.receivers.web import receiving

TOLD = {"environment": "production", "before": "2.4.1", "verdict": "pass", "who": "ada", "link": "https://ci/7"}


def test_a_webhook_gets_the_message(say: Say) -> None:
    with receiving() as web:
        result = say(f"json://127.0.0.1:{web.port}/hook", **TOLD, command="make tea", facts={"Downtime": "0 ms"})
    assert (result["changed"], result["undelivered"]) == (True, [])
    (row,) = result["delivered"]
    assert (row["target"], row["service"], row["attempts"]) == ("t0", "JSON", 1)
    (got,) = web.got
    assert (got["path"], got["body"]["type"]) == ("/hook", "info")
    assert got["body"]["title"] == result["title"] == "shop 2.4.2 (production): live traffic has moved"
    lines = got["body"]["message"].splitlines()
    assert lines[:5] == ["App: shop", "Environment: production", "Version: 2.4.2", "Before: 2.4.1", "Verdict: pass"]
    assert lines[5] == "Who: ada"
    assert lines[6].startswith("When: 20")
    assert lines[7:] == ["Downtime: 0 ms", "Link: https://ci/7", "Next: make tea"]


def test_slack_and_teams_get_their_own_shapes(say: Say, tls: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tls[0])
    with receiving() as slack, receiving(tls=tls) as teams:
        # Only its host is another one.
        monkeypatch.setattr(apprise.plugins.slack.NotifySlack, "webhook_url", f"http://127.0.0.1:{slack.port}/services")
        result = say(
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#releases",
            f"workflows://localhost:{teams.port}/643e62aed29141528e0cb5ba1d9a6f1e/sIgnAtUrEsIgnAtUrEsIgn",
            event="failed",
            reason="gate: 5 % errors",
        )
    assert result["undelivered"] == [], result
    assert slack.got[0]["path"] == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert "Why: gate: 5 % errors" in str(slack.got[0]["body"]["attachments"])
    (card,) = teams.got[0]["body"]["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "shop 2.4.2: release failed" in str(card)


def test_a_mail_arrives(say: Say) -> None:
    with taking_mail("ops", "s3cr3t-pass") as box:
        result = say(
            f"mailto://ops:s3cr3t-pass@127.0.0.1:{box.port}?from=golive@example.org&to=team@example.org", **TOLD
        )
    assert result["undelivered"] == [], result
    (mail,) = box.got
    assert (mail["Subject"], mail["To"]) == ("shop 2.4.2 (production): live traffic has moved", "team@example.org")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Version: 2.4.2" in body.get_content().splitlines()


def test_a_message_of_ones_own(say: Say, tmp_path: Path) -> None:
    with receiving() as web:
        (tmp_path / "url").write_text(f"json://127.0.0.1:{web.port}/\n")
        result = say(
            targets=[{"file": str(tmp_path / "url")}],
            title="{app} → {version}",
            text="{verdict}{{}}",
            verdict="good\x1b[2J",
        )
    assert result["delivered"][0]["target"] == f"file {tmp_path / 'url'}"
    assert (web.got[0]["body"]["title"], web.got[0]["body"]["message"]) == ("shop → 2.4.2", "good [2J{}")


@pytest.mark.parametrize(
    ("event", "verdict", "kind"),
    [
        ("failed", None, "failure"),
        ("returned", None, "warning"),
        ("drill", "pass", "success"),
        ("drill", "fail", "failure"),
        ("incident", "open", "failure"),
        ("incident", "closed", "success"),
    ],
)
def test_urgency_follows_from_the_event(say: Say, event: str, verdict: str | None, kind: str) -> None:
    with receiving() as web:
        say(f"json://127.0.0.1:{web.port}", event=event, verdict=verdict, severity="P1")
    assert web.got[0]["body"]["type"] == kind


def test_only_those_who_asked_for_the_event(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as web:
        monkeypatch.setenv("A_URL", f"json://127.0.0.1:{web.port}")
        targets: list[dict[str, Any]] = [{"variable": "A_URL", "events": ["failed", "returned"]}]
        passed = say(targets=targets)
        assert (passed["changed"], passed["wanted"]) == (False, [])
        assert passed["passed_over"] == [{"target": "variable A_URL", "reason": "other events"}]
        assert say(targets=targets, event="returned")["changed"] is True
    assert len(web.got) == 1


def test_check_mode_sends_nothing_and_tells_all(say: Say) -> None:
    with receiving() as web:
        planned = say(f"json://127.0.0.1:{web.port}/tok-1", "nope://x", check=True, diff=True)
        assert web.got == []
        sent = say(f"json://127.0.0.1:{web.port}/tok-1", "nope://x", diff=True)
    for result in (planned, sent):
        assert (result["changed"], result["wanted"]) == (True, ["t0", "t1"])
        assert [row["code"] for row in result["undelivered"]] == ["url_invalid"]
        (diff,) = result["diff"]
        assert diff["after"].startswith("shop 2.4.2: live traffic has moved\n")
        assert diff["after"].endswith("To: t0\n")
    assert planned["delivered"] == []


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"text": "{nope} {app.x} {"}, "template_invalid", "text is no template"),
        ({"title": "{nope}", "text": "{app.__class__} {}"}, "template_invalid", "unknown field nope."),
        ({"targets": [{"variable": "A", "file": "/x"}, {"events": ["failed"]}]}, "invalid", "targets[2] needs one of"),
        ({"targets": [{"variable": "A"}, {"variable": "A"}]}, "invalid", "Two targets are called variable A."),
        ({"targets": [{"secret": {"name": "x"}}]}, "invalid", "needs a namespace"),
        ({"timeout": 0, "attempts": 0, "key": "x"}, "invalid", "timeout must be above 0. attempts must"),
    ],
)
def test_bad_input_is_one_clear_error(say: Say, options: dict[str, Any], code: str, said: str) -> None:
    result = say(**options)
    assert result["failed"] is True
    assert (result["code"], said in result["msg"]) == (code, True), result["msg"]
