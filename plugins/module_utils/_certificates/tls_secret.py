# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``tls_secret``: an authority and a certificate signed by it, each in its Secret, renewed in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._certificates.authority import CERTIFICATE, KEY, Authority
from ansible_collections.golive.cutover.plugins.module_utils._certificates.facts import Facts, stamp
from ansible_collections.golive.cutover.plugins.module_utils._certificates.issue import (
    lasting,
    new_authority,
    new_certificate,
)
from ansible_collections.golive.cutover.plugins.module_utils._certificates.keys import key_pem
from ansible_collections.golive.cutover.plugins.module_utils._certificates.library import need_cryptography
from ansible_collections.golive.cutover.plugins.module_utils._certificates.plan import (
    AuthorityPlan,
    CertificatePlan,
    authority_plan,
    certificate_plan,
    is_ending,
)
from ansible_collections.golive.cutover.plugins.module_utils._certificates.read import certificates_pem, facts_of
from ansible_collections.golive.cutover.plugins.module_utils._certificates.rules import AS_WANTED, Verdict
from ansible_collections.golive.cutover.plugins.module_utils._certificates.shown import (
    CHAIN,
    PRIVATE,
    about_certificates,
    foretold_authority,
    foretold_certificate,
    shown_secret,
)
from ansible_collections.golive.cutover.plugins.module_utils._certificates.stored import (
    AUTHORITY_ROLE,
    CERTIFICATE_ROLE,
    MANAGER,
    refuse_foreign,
    refuse_immutable,
    secret_with,
    wanted_labels,
)
from ansible_collections.golive.cutover.plugins.module_utils._certificates.wish import Wish, wish_from
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import own_token
from ansible_collections.golive.cutover.plugins.module_utils._kube.plain_data import is_plain_data
from ansible_collections.golive.cutover.plugins.module_utils._kube.secrets import Secrets, data_of

# Each costs one more look; so many writers at once are no race any more.
_TRIES = 20
_RACED = ("conflict", "already_exists")


def tls_secret(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    need_cryptography()
    wish = wish_from(call.params)
    _refuse_bad_names(wish)
    with connected(call) as client:
        work = _Work(call, wish, Secrets(client, wish.namespace, own_token(call.params), MANAGER))
        # Each round looks anew at what is there, so that it may be done twice.
        return client.retried(work.settled)


@dataclass(frozen=True)
class _Change:
    """One write, and how it is told."""

    verdict: Verdict
    data: Mapping[str, bytes]
    diff: Mapping[str, str]


class _Work:
    def __init__(self, call: Call, wish: Wish, secrets: Secrets) -> None:
        self._call = call
        self._wish = wish
        self._secrets = secrets
        self._first: dict[str, bytes | None] = {}
        self._sent: dict[str, _Change] = {}
        self._done: dict[str, _Change] = {}

    def settled(self) -> dict[str, Any]:
        """Look, plan and write until nobody else writes in between."""
        for _try in range(_TRIES):
            try:
                return self._once()
            except GoliveError as error:
                if error.code not in _RACED or error.details.get("causes"):
                    raise
        raise GoliveError(
            "conflict",
            f"Writing the Secrets {self._wish.ca_name} and {self._wish.name} failed: somebody else changed them each of"
            f" {_TRIES} times between reading and writing.",
            "Find out who writes to them all the time (kubectl get -o yaml --show-managed-fields).",
        )

    def _once(self) -> dict[str, Any]:
        wish = self._wish
        found_ca = self._read(wish.ca_name, AUTHORITY_ROLE, CERTIFICATE)
        found = self._read(wish.name, CERTIFICATE_ROLE, CHAIN)
        now = self._call.date()
        ca = authority_plan(found_ca, wish, now, wish.renew_ca and self._is_first(wish.ca_name, found_ca, CERTIFICATE))
        plan = certificate_plan(found, ca.authority, wish, now, wish.renew and self._is_first(wish.name, found, CHAIN))
        for verdict, secret in ((ca.verdict, found_ca), (plan.verdict, found)):
            if verdict:
                refuse_immutable(secret)
        if ca.authority is not None and is_ending(ca.authority, wish, now):
            self._call.warn(
                f"The certificate authority in the Secret {wish.ca_name} ends on"
                f" {stamp(ca.authority.certificate.not_valid_after_utc)}; what it signs ends with it. Run once with"
                " renew_ca: true."
            )
        if self._call.check_mode:
            return self._foretold(found_ca, found, ca, plan, now)
        authority = self._authority(found_ca, ca, now)
        facts = self._certificate(found, plan, authority, now)
        return self._result(self._done, facts, authority.bundle(now))

    def _read(self, name: str, role: str, key: str) -> dict[str, Any] | None:
        found = self._secrets.read(name)
        data = data_of(found)
        self._first.setdefault(name, data.get(key))
        sent = self._sent.get(name)
        # The answer to our own write may have been lost.
        if sent is not None and sent.data.items() <= data.items():
            self._done.setdefault(name, sent)
        refuse_foreign(found, role, self._wish.adopt, about_certificates(data, key))
        return found

    def _is_first(self, name: str, found: Mapping[str, Any] | None, key: str) -> bool:
        """Whether the certificate is still the one that this call was asked to renew."""
        return data_of(found).get(key) == self._first[name]

    def _authority(self, found: Mapping[str, Any] | None, plan: AuthorityPlan, now: datetime) -> Authority:
        wish = self._wish
        made = plan.authority or new_authority(wish.ca_name, wish.key, now, wish.ca_days, plan.others)
        if plan.verdict:
            data = {
                CERTIFICATE: certificates_pem(made.bundle(now)).encode(),
                **({} if plan.authority else {KEY: key_pem(made.key)}),
            }
            self._write(found, wish.ca_name, AUTHORITY_ROLE, plan.verdict, data)
        return made

    def _certificate(
        self, found: Mapping[str, Any] | None, plan: CertificatePlan, authority: Authority, now: datetime
    ) -> Facts:
        wish, facts = self._wish, plan.facts
        data = {CERTIFICATE: certificates_pem(authority.bundle(now)).encode()}
        if facts is None:
            certificate, key = new_certificate(wish, authority, now)
            chain = (certificate, *authority.intermediates())
            data |= {CHAIN: certificates_pem(chain).encode(), PRIVATE: key_pem(key)}
            facts = facts_of(certificate)
        if plan.verdict:
            self._write(found, wish.name, CERTIFICATE_ROLE, plan.verdict, data)
        return facts

    def _write(
        self, found: Mapping[str, Any] | None, name: str, role: str, verdict: Verdict, data: Mapping[str, bytes]
    ) -> None:
        secret = secret_with(found, self._wish.namespace, name, role, self._wish.labels, data)
        change = _Change(verdict, data, _diff(name, shown_secret(found), shown_secret(secret)))
        self._sent[name] = change
        self._secrets.write(secret, found)
        self._done[name] = change

    def _foretold(
        self,
        found_ca: Mapping[str, Any] | None,
        found: Mapping[str, Any] | None,
        ca: AuthorityPlan,
        plan: CertificatePlan,
        now: datetime,
    ) -> dict[str, Any]:
        wish = self._wish
        known = ca.authority
        ca_end = known.certificate.not_valid_after_utc if known else now + timedelta(days=wish.ca_days)
        kept = known.bundle(now) if known else ca.others
        trusted = [{"subject": one.subject, **one.row()} for one in map(facts_of, kept)]
        if known is None:
            trusted.insert(0, foretold_authority(wish.key, ca_end))
        end = lasting(now, wish.days, ca_end)
        issuer = known.certificate.subject.rfc4514_string() if known else None
        planned: dict[str, _Change] = {}
        if ca.verdict:
            after = self._foretold_secret(found_ca, AUTHORITY_ROLE, (CERTIFICATE, KEY), {CERTIFICATE: trusted})
            planned[wish.ca_name] = _Change(ca.verdict, {}, _diff(wish.ca_name, shown_secret(found_ca), after))
        if plan.verdict:
            chain = {} if plan.facts else {CHAIN: [foretold_certificate(wish, issuer, end)]}
            after = self._foretold_secret(
                found, CERTIFICATE_ROLE, (CERTIFICATE, CHAIN, PRIVATE), {**chain, CERTIFICATE: trusted}
            )
            planned[wish.name] = _Change(plan.verdict, {}, _diff(wish.name, shown_secret(found), after))
        return self._result(planned, plan.facts, known.bundle(now) if known else ())

    def _foretold_secret(
        self, found: Mapping[str, Any] | None, role: str, keys: tuple[str, ...], certificates: Mapping[str, Any]
    ) -> dict[str, Any]:
        before = shown_secret(found) or {"labels": {}, "keys": []}
        return {
            **before,
            "labels": {**before["labels"], **wanted_labels(role, self._wish.labels)},
            "keys": sorted({*before["keys"], *keys}),
            **certificates,
        }

    def _result(self, changes: Mapping[str, _Change], facts: Facts | None, trusted: tuple[Any, ...]) -> dict[str, Any]:
        wish = self._wish
        ca_change, change = changes.get(wish.ca_name), changes.get(wish.name)
        verdict = change.verdict if change else AS_WANTED
        ca_verdict = ca_change.verdict if ca_change else AS_WANTED
        result = {
            "changed": bool(changes),
            "reason": verdict.reason,
            "detail": verdict.detail,
            "not_after": stamp(facts.not_after) if facts else None,
            "serial": facts.serial if facts else None,
            "fingerprint_sha256": facts.fingerprint if facts else None,
            "ca_changed": ca_verdict.reason not in ("none", "labels_differ"),
            "ca_reason": ca_verdict.reason,
            "ca_detail": ca_verdict.detail,
            "ca_certificate": certificates_pem(trusted) if trusted else None,
            "ca_not_after": stamp(trusted[0].not_valid_after_utc) if trusted else None,
        }
        if self._call.diff_mode:
            result["diff"] = [changes[name].diff for name in (wish.ca_name, wish.name) if name in changes]
        return result


def _diff(name: str, before: Any, after: Any) -> dict[str, str]:
    return diff_of(f"Secret {name}", before, after)


def _refuse_bad_names(wish: Wish) -> None:
    # A read of a name that cannot be says that there is none, and check mode would promise to make it.
    for name in (wish.ca_name, wish.name):
        meta = {"name": name, "labels": dict(wish.labels)}
        if not is_plain_data({"apiVersion": "v1", "kind": "Secret", "metadata": meta}):
            raise GoliveError(
                "name_invalid",
                f"Making the Secret {name} failed: its name, or one of the labels, breaks the rules of Kubernetes.",
                "Write the name in small letters, digits, - and . (253 at most), and label values in letters, digits,"
                " -, _ and . (63 at most).",
            )
