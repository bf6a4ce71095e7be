# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers that are down, slow, busy or refuse: told, in time, without a word of the URL."""

from __future__ import annotations

import io
import logging
import time
from pathlib import Path

import pytest

from tests.both_ways.harness import PLAYBOOKS, play_of, run_plays
from tests.integration.notify.conftest import Say
from tests.integration.postgres import free_port
from tests.receivers.mail import taking_mail
from tests.receivers.web import Answers, receiving

TOKEN = "T0kenOfAll-8d1f3c"


def answering(*rows: tuple[int, dict[str, str], float]) -> Answers:
    """These answers, the last one for all that follow."""
    return lambda number: rows[min(number, len(rows)) - 1]


@pytest.mark.parametrize(
    ("answers", "tries", "code"),
    [
        (answering((500, {}, 0), (503, {}, 0), (200, {}, 0)), 3, None),
        (answering((429, {"Retry-After": "1"}, 0), (200, {}, 0)), 2, None),
        (answering((429, {}, 0)), 3, "busy"),
        (answering((429, {"Retry-After": "3600"}, 0)), 1, "busy"),
        (answering((404, {}, 0)), 1, "refused"),
        (answering((403, {}, 0)), 1, "auth_failed"),
        (answering((302, {"Location": "http://127.0.0.1:1/"}, 0)), 1, "refused"),
    ],
)
def test_what_may_pass_is_tried_again(say: Say, answers: Answers, tries: int, code: str | None) -> None:
    with receiving(answers) as web:
        began = time.monotonic()
        result = say(f"json://127.0.0.1:{web.port}/{TOKEN}")
        took = time.monotonic() - began
    assert len(web.got) == tries
    rows = result["delivered"] + result["undelivered"]
    assert (rows[0]["attempts"], rows[0].get("code")) == (tries, code)
    assert took < 5
    if tries == 2:
        assert took >= 1, "the receiver asked for a second"


def test_a_slow_one_holds_up_nobody(say: Say) -> None:
    with receiving(answering((200, {}, 30))) as slow, receiving() as web:
        began = time.monotonic()
        result = say(f"json://127.0.0.1:{slow.port}/{TOKEN}", f"json://127.0.0.1:{web.port}", timeout=1)
        took = time.monotonic() - began
    assert took < 4
    assert [row["target"] for row in result["delivered"]] == ["t1"]
    assert [(row["target"], row["code"]) for row in result["undelivered"]] == [("t0", "timeout")]


def test_targets_are_worked_at_side_by_side(say: Say) -> None:
    with receiving(answering((200, {}, 0.7))) as web:
        began = time.monotonic()
        result = say(*(f"json://127.0.0.1:{web.port}/{number}" for number in range(8)))
        took = time.monotonic() - began
    assert len(result["delivered"]) == 8
    assert took < 4, "one after the other they take 5.6 s"


def test_each_fault_has_its_reason_and_none_the_url(say: Say, tls: tuple[str, str], tmp_path: Path) -> None:
    warned: list[str] = []
    with receiving(tls=tls) as web, taking_mail("ops", "right") as box, taking_mail() as full:
        full.refuses = "550 no such user"
        mail = "127.0.0.1:{}?from=a@example.org&to=b@example.org"
        result = say(
            f"json://127.0.0.1:{free_port()}/{TOKEN}",
            f"json://nowhere.invalid/{TOKEN}",
            f"jsons://localhost:{web.port}/{TOKEN}",
            f"nope://{TOKEN}",
            f"mailto://ops:{TOKEN}@{mail.format(box.port)}",
            f"mailto://{mail.format(full.port)}",
            f"{TOKEN} {TOKEN}",
            call_options={"warn": warned.append},
        )
    assert result.get("code") is None
    assert {row["target"]: row["code"] for row in result["undelivered"]} == {
        "t0": "unreachable",
        "t1": "unreachable",
        "t2": "certificate",
        "t3": "url_invalid",
        "t4": "auth_failed",
        "t5": "refused",
        "t6": "url_invalid",
    }
    assert web.got == []
    assert TOKEN not in str(result)
    assert TOKEN not in str(warned)
    assert warned[0].startswith("The message shifted of shop did not reach ")


def test_only_a_strict_one_fails(say: Say) -> None:
    with receiving() as web:
        urls = (f"json://127.0.0.1:{web.port}", f"json://127.0.0.1:{free_port()}/{TOKEN}")
        result = say(*urls, strict=True, attempts=1)
    assert (result["failed"], result["code"], result["changed"]) == (True, "not_delivered", True)
    assert "t1: it refused the connection" in result["msg"]


def test_a_message_hides_the_urls_it_may_quote(say: Say) -> None:
    with receiving() as web:
        url = f"json://127.0.0.1:{web.port}/{TOKEN}"
        result = say(url, reason=f"curl {url} failed")
    assert TOKEN not in str(web.got[0]["body"])
    assert TOKEN not in result["text"]


def test_without_a_cluster_a_secret_is_a_fault_of_its_target(say: Say) -> None:
    began = time.monotonic()
    result = say(targets=[{"secret": {"name": "notify", "key": "slack"}}], namespace="shop")
    assert result["undelivered"][0]["target"] == "Secret notify, key slack"
    assert result["undelivered"][0]["code"] == "kubeconfig_invalid"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("way", ["inside", "module"])
def test_nothing_of_the_url_is_printed_or_logged(tmp_path: Path, way: str) -> None:
    """Also where the controller keeps a log, which takes what libraries say."""
    with receiving(answering((500, {}, 0))) as web:
        urls = {
            "A_URL": f"json://user:{TOKEN}@127.0.0.1:{web.port}/{TOKEN}?+X-Auth={TOKEN}",
            "B_URL": f"json://127.0.0.1:{free_port()}/{TOKEN}",
        }
        tasks = {
            "say": {
                "golive.cutover.notify": {
                    "event": "failed", "app": "shop", "attempts": 2,
                    "targets": [{"variable": name} for name in urls],
                },
                "environment": {"A_LOUD": "1"},
            },
        }  # fmt: skip
        log = tmp_path / "ansible.log"
        extra = {**urls, "ANSIBLE_LOG_PATH": str(log), "ANSIBLE_LOG_VERBOSITY": "5"}
        ran = run_plays(PLAYBOOKS[0], way, [play_of(tasks)], tmp_path, "-vvvv", **extra)
    assert len(web.got) == 2
    assert len(ran.result("say")["undelivered"]) == 2
    assert "did not reach" in ran.out
    for text in (ran.out, str(ran.events), log.read_text()):
        assert TOKEN not in text


def test_the_log_of_the_library_stays_closed_afterwards(say: Say) -> None:
    """A delivery that nobody waits for any more may still have something to say."""
    texts = io.StringIO()
    handler = logging.StreamHandler(texts)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with receiving(answering((500, {}, 0))) as web:
            say(f"json://127.0.0.1:{web.port}/{TOKEN}", attempts=1)
            logging.getLogger("apprise").warning("late: %s", TOKEN)
        root.debug("heard")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert "heard" in texts.getvalue()
    assert TOKEN not in texts.getvalue()
