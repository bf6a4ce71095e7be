# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a certificate or an authority is replaced, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import authority_from
from ansible_collections.golive.cutover.plugins.module_utils._certificates.issue import new_authority, new_certificate
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import key_pem
from ansible_collections.golive.cutover.plugins.module_utils._certificates.plan import authority_plan, certificate_plan
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import certificates_pem, facts_of
from ansible_collections.golive.cutover.plugins.module_utils._certificates.rules import is_due, judged
from ansible_collections.golive.cutover.plugins.module_utils._certificates.stored import AUTHORITY_ROLE
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import normal_name
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.unit.certificates.samples import NOW, a_secret, a_wish, an_authority, authority_data

OLD = an_authority()
LEAF, KEY = new_certificate(a_wish(), OLD, NOW)
FACTS = facts_of(LEAF)
FAR = NOW + timedelta(days=397)
DAYS = st.integers(min_value=0, max_value=5000)


@given(left=st.integers(min_value=-5000, max_value=5000), renew_days=DAYS, reachable=DAYS)
def test_due_is_when_too_little_is_left_and_more_can_be_had(left: int, renew_days: int, reachable: int) -> None:
    due = is_due(NOW, NOW + timedelta(days=left), renew_days, NOW + timedelta(days=reachable))
    assert due is (left < renew_days and reachable > left)


@given(days=st.integers(1, 3650), authority_days=st.integers(1, 4000), data=st.data())
def test_what_was_just_renewed_is_not_due_again(days: int, authority_days: int, data: st.DataObject) -> None:
    renew_days = data.draw(st.integers(0, days - 1))
    end = NOW + timedelta(days=min(days, authority_days))
    # A run a second later could reach a second more, but never past the authority.
    later = min(NOW + timedelta(days=days, seconds=1), NOW + timedelta(days=authority_days))
    assert not is_due(NOW + timedelta(seconds=1), end, renew_days, later) or end < NOW + timedelta(days=renew_days)
    if authority_days <= days:
        assert not is_due(NOW + timedelta(seconds=1), end, renew_days, later)


def test_exactly_as_many_days_as_asked_are_enough() -> None:
    edge = FACTS.not_after - timedelta(days=30)
    assert not judged(FACTS, a_wish(), edge, FAR + timedelta(days=300))
    assert judged(FACTS, a_wish(), edge + timedelta(seconds=1), FAR + timedelta(days=300)).reason == "expires"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "none"),
        ({"names": ["shop.example.org", "::1", "127.0.0.1", "LOCALHOST", "0:0:0:0:0:0:0:1"]}, "none"),
        ({"names": ["localhost", "shop.example.org", "127.0.0.1", "::1"]}, "names_differ"),
        ({"names": ["shop.example.org", "localhost", "127.0.0.1"]}, "names_differ"),
        ({"names": ["shop.example.org", "localhost", "127.0.0.1", "::1", "new.example.org"]}, "names_differ"),
        ({"usages": ["server", "client"]}, "usages_differ"),
        ({"key": "rsa-3072"}, "key_differs"),
        ({"days": 800, "renew_days": 397}, "expires"),
        ({"labels": {"team": "shop"}}, "none"),
    ],
)
def test_reasons_of_the_options(change: dict[str, Any], reason: str) -> None:
    wish = a_wish(**change)
    assert judged(FACTS, wish, NOW, NOW + timedelta(days=wish.days)).reason == reason


def test_a_certificate_that_has_not_begun_is_replaced() -> None:
    assert judged(FACTS, a_wish(), NOW - timedelta(minutes=6), FAR).reason == "not_yet_valid"
    assert not judged(FACTS, a_wish(), NOW - timedelta(minutes=4), FAR)


def leaf_data(**change: bytes) -> dict[str, bytes]:
    found = {
        "tls.crt": certificates_pem([LEAF]).encode(),
        "tls.key": key_pem(KEY),
        "ca.crt": certificates_pem([OLD.certificate]).encode(),
    }
    return {**found, **{key.replace("_", "."): value for key, value in change.items()}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "none"),
        ({"tls_crt": b""}, "unreadable"),
        ({"tls_key": b"nonsense"}, "unreadable"),
        ({"tls_crt": certificates_pem([LEAF]).encode()[:-90]}, "unreadable"),
        ({"tls_key": key_pem(an_authority().key)}, "key_differs"),
        ({"ca_crt": b""}, "bundle_differs"),
        ({"ca_crt": certificates_pem([an_authority().certificate]).encode()}, "bundle_differs"),
    ],
)
def test_reasons_of_the_content(change: dict[str, bytes], reason: str) -> None:
    plan = certificate_plan(a_secret(leaf_data(**change)), OLD, a_wish(), NOW, False)
    assert plan.verdict.reason == reason
    assert (plan.facts is None) is (reason not in ("none", "bundle_differs"))


def test_who_has_signed_it_is_named() -> None:
    plan = certificate_plan(a_secret(leaf_data()), an_authority(), a_wish(), NOW, False)
    assert plan.verdict.reason == "other_ca"
    assert OLD.certificate.subject.rfc4514_string() in plan.verdict.detail
    assert certificate_plan(a_secret(leaf_data()), None, a_wish(), NOW, False).verdict.reason == "other_ca"
    assert certificate_plan(None, OLD, a_wish(), NOW, False).verdict.reason == "absent"
    assert certificate_plan(a_secret(leaf_data()), OLD, a_wish(), NOW, True).verdict.reason == "asked"


def test_labels_alone_do_not_make_a_new_certificate() -> None:
    plan = certificate_plan(a_secret(leaf_data()), OLD, a_wish(labels={"team": "shop"}), NOW, False)
    assert (plan.verdict.reason, plan.facts) == ("labels_differ", FACTS)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "no ca.crt and no ca.key"),
        ({**authority_data(OLD), "ca.key": b""}, "no ca.key"),
        ({**authority_data(OLD), "ca.key": b"nonsense"}, "cannot be read"),
        ({**authority_data(OLD), "ca.key": key_pem(KEY)}, "not the key of"),
        ({**authority_data(OLD), "ca.crt": b"nonsense"}, "cannot be read"),
        ({"ca.crt": certificates_pem([LEAF]).encode(), "ca.key": key_pem(KEY)}, "may sign"),
    ],
)
def test_an_unusable_authority_is_replaced_on_request_only(data: dict[str, bytes], told: str) -> None:
    secret = a_secret(data, AUTHORITY_ROLE)
    with pytest.raises(GoliveError) as failure:
        authority_plan(secret, a_wish(), NOW, renew=False)
    assert failure.value.code == "ca_unusable"
    assert told in failure.value.message
    assert "renew_ca" in str(failure.value.hint)
    plan = authority_plan(secret, a_wish(), NOW, renew=True)
    assert (plan.verdict.reason, plan.authority) == ("unreadable", None)


def test_an_expired_authority_is_replaced_on_request_only() -> None:
    later = OLD.certificate.not_valid_after_utc
    secret = a_secret(authority_data(OLD), AUTHORITY_ROLE)
    with pytest.raises(GoliveError) as failure:
        authority_plan(secret, a_wish(), later, renew=False)
    assert failure.value.code == "ca_expired"
    assert authority_plan(secret, a_wish(), later - timedelta(seconds=1), renew=False).verdict.reason == "none"
    plan = authority_plan(secret, a_wish(), later, renew=True)
    assert (plan.verdict.reason, plan.others) == ("asked", ())


def test_earlier_authorities_leave_the_bundle_when_they_expire() -> None:
    short = an_authority(days=10)
    new = new_authority("shop-ca", "ecdsa-p256", NOW, 3650, (short.certificate, OLD.certificate))
    secret = a_secret(authority_data(new), AUTHORITY_ROLE)
    assert not authority_plan(secret, a_wish(), NOW, renew=False).verdict
    later = NOW + timedelta(days=11)
    plan = authority_plan(secret, a_wish(), later, renew=False)
    assert plan.verdict.reason == "bundle_differs"
    assert plan.authority is not None
    assert plan.authority.bundle(later) == (new.certificate, OLD.certificate)
    again = replace(new, others=(OLD.certificate,))
    assert not authority_plan(a_secret(authority_data(again), AUTHORITY_ROLE), a_wish(), later, renew=False).verdict


def test_an_authority_is_read_as_it_was_written() -> None:
    read = authority_from(authority_data(OLD))
    assert (read.certificate, read.others) == (OLD.certificate, ())
    assert key_pem(read.key) == key_pem(OLD.key)


@given(st.text(max_size=80))
def test_any_text_is_a_name_of_the_certificate_or_refused(text: str) -> None:
    try:
        name = normal_name(text)
    except GoliveError:
        return
    assert normal_name(name) == name
    assert facts_of(new_certificate(a_wish(names=[text]), OLD, NOW)[0]).names == (name,)


NO_NAMES = (
    *("", "shop_db", "shop.", "-a", "a b", "*", "a.*.b", "ü.de", "shop:5432", "x" * 64, "a." * 127 + "aa"),
    *("10.0.0.0/8", "10.0.0.256", "fe80::1%eth0"),
)


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(GoliveError) as failure:
        normal_name(text)
    assert repr(text) in failure.value.message


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"names": []}, "name_invalid"),
        ({"ca": {"name": "shop-tls", "days": 1}}, "name_invalid"),
        ({"days": 0}, "days_invalid"),
        ({"days": 40000}, "days_invalid"),
        ({"ca": {"name": "shop-ca", "days": 0}}, "days_invalid"),
        ({"renew_days": 397}, "days_invalid"),
        ({"renew_days": -1}, "days_invalid"),
    ],
)
def test_options_that_cannot_be_meant(options: dict[str, Any], code: str) -> None:
    with pytest.raises(GoliveError) as failure:
        a_wish(**options)
    assert failure.value.code == code
