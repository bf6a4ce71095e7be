# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has the form of a secret goes; what only looks a little like one stays."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._incident.redacting import redacted, redacted_text

HIDDEN = "hunter2-Xy9"


@pytest.mark.parametrize(
    "text",
    [
        f"dial postgresql://shop:{HIDDEN}@db:5432/shop failed",
        f"password={HIDDEN} host=db",
        f'{{"api_key": "{HIDDEN}"}}',
        f"PGPASSWORD={HIDDEN}",
        f"DB_PASSWORD: {HIDDEN}",
        f"Authorization: Bearer {HIDDEN}",
        f"https://hooks.slack.com/services/T1/B1/{HIDDEN}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{HIDDEN}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{HIDDEN} cut",
        f"a known one: {HIDDEN}",
    ],
)
def test_what_looks_like_a_secret_goes(text: str) -> None:
    known = [HIDDEN] if "known" in text else []
    assert HIDDEN not in redacted_text(text, known)


def test_tokens_of_a_known_form_go() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-DEF_123"
    assert token not in redacted_text(f"sent {token}")
    assert "AKIAIOSFODNN7EXAMPLE" not in redacted_text("by AKIAIOSFODNN7EXAMPLE.")


@pytest.mark.parametrize(
    "text",
    [
        'secret "shop-settings" not found',
        "https://example.org:8443/a?b=c",
        "the token of the run is 7",
        "basic checks passed",
        "2026-11-30T12:00:00Z",
        "registry.example.org/shop@sha256:0123456789abcdef",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert redacted_text(text) == text


def test_values_under_the_name_of_a_secret_go_at_any_depth() -> None:
    found = redacted(
        {"a": [{"password": HIDDEN, "secretName": "shop", "token": 7, "n": None}], "text": f"token={HIDDEN}"}
    )
    assert HIDDEN not in str(found)
    assert (found["a"][0]["secretName"], found["a"][0]["token"], found["a"][0]["n"]) == ("shop", 7, None)
