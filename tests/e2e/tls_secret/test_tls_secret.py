# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in real Secrets: the quartet, renewal, races, what is refused, and a handshake with what was made."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.golive.cutover.plugins.modules import tls_secret
from tests.both_ways.harness import PLAYBOOKS, assert_same, run_both
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.leases import take

NAMES = ["localhost", "shop-postgres.shop.svc", "127.0.0.1"]
OPTIONS: dict[str, Any] = {"name": "shop-tls", "ca": {"name": "shop-ca"}, "names": NAMES}


def keep(namespace: str, *, ahead: float = 0, **options: Any) -> dict[str, Any]:
    """One run of the verb, with a clock that is so many days ahead."""
    date = {"date": lambda: datetime.now(timezone.utc) + timedelta(days=ahead)}
    return call_verb(tls_secret, **{**OPTIONS, "namespace": namespace, **options, "call_options": date})


def kept(namespace: str, **options: Any) -> dict[str, Any]:
    """The same, which must succeed."""
    result = keep(namespace, **options)
    assert not result.get("failed"), result
    return result


def secret(namespace: str, name: str) -> dict[str, Any]:
    """The Secret as kubectl shows it, its values decoded under ``values``."""
    found: dict[str, Any] = json.loads(kubectl("-n", namespace, "get", "secret", name, "-o", "json"))
    return {**found, "values": {key: base64.b64decode(value) for key, value in found["data"].items()}}


def put(namespace: str, name: str, values: dict[str, bytes], kind: str = "Opaque", **fields: Any) -> None:
    """A Secret that somebody else makes."""
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    meta = {"name": name, "namespace": namespace}
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind, "data": data, **fields}
    kubectl("create", "--field-manager=somebody", "-f", "-", stdin=json.dumps(made))


def test_quartet(namespace: str, audit: Audit) -> None:
    planned = kept(namespace, check=True, diff=True)
    assert (planned["changed"], planned["reason"], planned["ca_reason"]) == (True, "absent", "absent")
    assert (planned["serial"], planned["not_after"], planned["ca_certificate"]) == (None, None, None)
    assert [row["after_header"] for row in planned["diff"]] == ["Secret shop-ca", "Secret shop-tls"]
    assert "shop-postgres.shop.svc" in planned["diff"][1]["after"]
    assert audit.writes(namespace) == []
    assert kubectl("-n", namespace, "get", "secrets", "-o", "name") == ""

    done = kept(namespace, diff=True)
    assert (done["changed"], done["reason"], done["ca_changed"]) == (True, "absent", True)
    assert f'"not_after": "{done["not_after"][:10]}"' in planned["diff"][1]["after"]
    assert len(audit.writes(namespace)) == 2
    made, authority = secret(namespace, "shop-tls"), secret(namespace, "shop-ca")
    assert (made["type"], authority["type"]) == ("kubernetes.io/tls", "Opaque")
    assert set(made["values"]) == {"tls.crt", "tls.key", "ca.crt"}
    assert set(authority["values"]) == {"ca.crt", "ca.key"}
    assert made["values"]["ca.crt"].decode() == authority["values"]["ca.crt"].decode() == done["ca_certificate"]
    certificate = x509.load_pem_x509_certificate(made["values"]["tls.crt"])
    assert int(done["serial"], 16) == certificate.serial_number
    for key in (made["values"]["tls.key"], authority["values"]["ca.key"]):
        line = key.decode().splitlines()[1]
        assert line not in json.dumps(done)
        assert base64.b64encode(line.encode()).decode() not in json.dumps(done)

    audit.mark()
    for check in (True, False):
        again = kept(namespace, check=check, diff=True)
        assert (again["changed"], again["reason"], again["ca_reason"], again["diff"]) == (False, "none", "none", [])
        for same in ("serial", "fingerprint_sha256", "not_after", "ca_certificate", "ca_not_after"):
            assert again[same] == done[same]
    assert {verb for verb, _uri in audit.requests(namespace)} == {"get"}


def test_renewed_in_time_and_not_before(namespace: str) -> None:
    first = kept(namespace)
    assert not kept(namespace, ahead=366)["changed"]
    planned = kept(namespace, ahead=368, check=True, diff=True)
    assert (planned["reason"], planned["ca_changed"]) == ("expires", False)
    assert first["fingerprint_sha256"] in planned["diff"][0]["before"]
    renewed = kept(namespace, ahead=368, diff=True)
    assert (renewed["reason"], renewed["ca_certificate"]) == ("expires", first["ca_certificate"])
    assert renewed["serial"] != first["serial"]
    assert renewed["not_after"] > first["not_after"]
    assert renewed["fingerprint_sha256"] in renewed["diff"][0]["after"]
    assert not kept(namespace, ahead=369)["changed"]


def test_last_days_of_an_authority(namespace: str) -> None:
    options: dict[str, Any] = {"ca": {"name": "shop-ca", "days": 100}, "days": 90}
    kept(namespace, **options)
    last = kept(namespace, ahead=80, **options)
    assert last["not_after"] == last["ca_not_after"]
    warned: list[str] = []
    call = {"warn": warned.append, "date": lambda: datetime.now(timezone.utc) + timedelta(days=99)}
    given = {**OPTIONS, **options, "namespace": namespace}
    assert not call_verb(tls_secret, **given, call_options=call)["changed"]
    assert "renew_ca: true" in "".join(warned)
    assert keep(namespace, ahead=101, **options)["code"] == "ca_expired"
    assert kept(namespace, ahead=101, renew_ca=True, **options)["ca_reason"] == "asked"
    assert not kept(namespace, ahead=101, **options)["changed"]


def test_other_names_labels_and_keys(namespace: str) -> None:
    kept(namespace)
    kubectl("-n", namespace, "label", "secret", "shop-tls", "by=hand")
    named = kept(namespace, names=["other.example.org"], usages=["server", "client"], key="rsa-3072")
    assert named["reason"] == "key_differs"
    certificate = x509.load_pem_x509_certificate(secret(namespace, "shop-tls")["values"]["tls.crt"])
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["other.example.org"]
    same = {"names": ["other.example.org"], "usages": ["client", "server"], "key": "rsa-3072"}
    assert not kept(namespace, **same)["changed"]
    labelled = kept(namespace, **same, labels={"team": "shop"}, diff=True)
    assert (labelled["reason"], labelled["ca_reason"], labelled["ca_changed"]) == (
        "labels_differ",
        "labels_differ",
        False,
    )
    assert labelled["serial"] == named["serial"]
    assert secret(namespace, "shop-tls")["metadata"]["labels"].items() >= {"by": "hand", "team": "shop"}.items()
    assert not kept(namespace, **same, labels={"team": "shop"})["changed"]


@contextmanager
def serving(folder: Path, values: dict[str, bytes]) -> Iterator[int]:
    """A TLS server on the loopback with what a Secret holds; yields its port."""
    for key in ("tls.crt", "tls.key"):
        (folder / key).write_bytes(values[key])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(30)

        def serve() -> None:
            while True:
                connection, _address = listener.accept()
                with connection:
                    if not connection.recv(1, socket.MSG_PEEK):
                        return
                    try:
                        with context.wrap_socket(connection, server_side=True) as secured:
                            secured.sendall(b"hello")
                    except (ssl.SSLError, ConnectionError):
                        continue

        serves = pool.submit(serve)
        port = listener.getsockname()[1]
        try:
            yield port
        finally:
            socket.create_connection(("127.0.0.1", port)).close()
            serves.result(timeout=30)


def hello(port: int, name: str, trusted: str) -> bytes:
    """What a strict client reads that expects ``name``; raises SSLCertVerificationError."""
    context = ssl.create_default_context(cadata=trusted)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        return secured.recv(5)


@pytest.mark.parametrize("key", ["ecdsa-p256", "rsa-3072"])
def test_handshake(namespace: str, tmp_path: Path, key: str) -> None:
    first = kept(namespace, key=key)
    with serving(tmp_path, secret(namespace, "shop-tls")["values"]) as port:
        for name in NAMES:
            assert hello(port, name, first["ca_certificate"]) == b"hello"
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            hello(port, "other.example.org", first["ca_certificate"])
        changed = kept(namespace, key=key, renew_ca=True)
        assert (changed["ca_reason"], changed["reason"], changed["ca_changed"]) == ("asked", "other_ca", True)
        # The server has not read its new certificate yet.
        assert hello(port, "localhost", changed["ca_certificate"]) == b"hello"
    with serving(tmp_path, secret(namespace, "shop-tls")["values"]) as port:
        assert hello(port, "localhost", changed["ca_certificate"]) == b"hello"
        with pytest.raises(ssl.SSLCertVerificationError):
            hello(port, "localhost", first["ca_certificate"])
    assert changed["ca_certificate"].count("BEGIN CERTIFICATE") == 2
    assert not kept(namespace, key=key)["changed"]
    later = kept(namespace, key=key, ahead=3651, diff=True, renew_ca=True)
    assert later["ca_certificate"].count("BEGIN CERTIFICATE") == 1


def test_openssl_reads_what_the_secret_holds(namespace: str, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl")
    kept(namespace)
    for key, value in secret(namespace, "shop-tls")["values"].items():
        (tmp_path / key).write_bytes(value)
    command = [openssl, "verify", "-x509_strict", "-verify_hostname", "localhost", "-purpose", "sslserver"]
    done = subprocess.run(
        [*command, "-CAfile", "ca.crt", "tls.crt"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_earlier_authorities_leave_every_secret(namespace: str) -> None:
    short: dict[str, Any] = {"ca": {"name": "shop-ca", "days": 100}}
    kept(namespace, **short)
    kept(namespace, **short, name="other-tls")
    kept(namespace, renew_ca=True)
    assert kept(namespace, name="other-tls")["reason"] == "other_ca"
    gone = kept(namespace, ahead=101, renew_days=0)
    assert (gone["ca_reason"], gone["reason"]) == ("bundle_differs", "bundle_differs")
    assert gone["ca_certificate"].count("BEGIN CERTIFICATE") == 1
    other = kept(namespace, name="other-tls", ahead=101, renew_days=0)
    assert (other["ca_reason"], other["reason"]) == ("none", "bundle_differs")
    assert secret(namespace, "other-tls")["values"]["ca.crt"].decode() == gone["ca_certificate"]


@pytest.mark.parametrize("asked", [{}, {"renew": True}, {"renew_ca": True}])
def test_at_once_they_agree_on_one_authority(namespace: str, asked: dict[str, Any]) -> None:
    for number in (0, 1) if asked else ():
        kept(namespace, name=f"tls-{number}")
    start = threading.Barrier(4)

    def one(number: int) -> dict[str, Any]:
        passed = threading.Event()

        def date() -> datetime:
            # Asked between reading and writing: all have seen the same before any writes.
            if not passed.is_set():
                passed.set()
                start.wait(60)
            return datetime.now(timezone.utc)

        given = {**OPTIONS, "namespace": namespace, "name": f"tls-{number % 2}", **asked}
        return call_verb(tls_secret, **given, call_options={"date": date})

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, range(4)))
    assert not [row for row in results if row.get("failed")], results
    trusted = secret(namespace, "shop-ca")["values"]["ca.crt"]
    assert trusted.count(b"BEGIN CERTIFICATE") == 1 + bool(asked.get("renew_ca"))
    assert sum(row["ca_changed"] for row in results) == (0 if asked.get("renew") else 1)
    for number in (0, 1):
        pair = results[number], results[number + 2]
        assert sum(row["reason"] != "none" for row in pair) == 1, "of two that want the same certificate one makes it"
        assert pair[0]["serial"] == pair[1]["serial"]
        values = secret(namespace, f"tls-{number}")["values"]
        certificate, authority = (x509.load_pem_x509_certificate(values[key]) for key in ("tls.crt", "ca.crt"))
        certificate.verify_directly_issued_by(authority)
        assert values["ca.crt"] == trusted
        assert not kept(namespace, name=f"tls-{number}")["changed"]


def test_somebody_who_writes_in_between_is_not_overwritten(namespace: str) -> None:
    kept(namespace)
    looks = [0]

    def date() -> datetime:
        # Asked between reading and writing.
        looks[0] += 1
        if looks[0] == 1:
            kubectl("-n", namespace, "annotate", "secret", "shop-tls", "by=hand")
        return datetime.now(timezone.utc)

    given = {**OPTIONS, "namespace": namespace, "renew": True}
    result = call_verb(tls_secret, **given, call_options={"date": date})
    assert (result["changed"], result["reason"]) == (True, "asked"), result
    assert secret(namespace, "shop-tls")["metadata"]["annotations"]["by"] == "hand"


def test_a_foreign_secret_is_refused_and_adopted_on_request(namespace: str) -> None:
    kept(namespace, name="model", ca={"name": "model-ca"})
    foreign, authority = secret(namespace, "model")["values"], secret(namespace, "model-ca")["values"]
    put(namespace, "shop-tls", foreign, "kubernetes.io/tls")
    for check in (True, False):
        refused = keep(namespace, check=check)
        assert refused["code"] == "foreign_secret"
        for told in ("shop-tls", "somebody", "signed by CN=model-ca", "localhost"):
            assert told in refused["msg"], told
        assert "adopt: true" in refused["hint"]
    assert kubectl("-n", namespace, "get", "secret", "shop-ca", "--ignore-not-found") == ""
    adopted = kept(namespace, adopt=True)
    assert adopted["reason"] == "other_ca"
    assert "signed by CN=model-ca" in adopted["detail"]
    assert not kept(namespace)["changed"]

    put(namespace, "their-ca", authority)
    options: dict[str, Any] = {"name": "second", "ca": {"name": "their-ca"}}
    assert keep(namespace, **options)["code"] == "foreign_secret"
    taken = kept(namespace, **options, adopt=True)
    assert (taken["ca_reason"], taken["ca_changed"]) == ("labels_differ", False)
    assert secret(namespace, "their-ca")["values"] == authority
    assert not kept(namespace, **options)["changed"]


def test_what_cannot_become_ours(namespace: str) -> None:
    put(namespace, "opaque", {"a": b"b"})
    put(namespace, "broken-ca", {"ca.crt": b"nonsense"})
    assert keep(namespace, name="opaque", adopt=True)["code"] == "secret_type"
    broken = keep(namespace, ca={"name": "broken-ca"}, adopt=True)
    assert (broken["code"], "no ca.key" in broken["msg"]) == ("ca_unusable", True)
    kept(namespace)
    kubectl("-n", namespace, "patch", "secret", "shop-tls", "-p", '{"immutable": true}')
    assert not kept(namespace)["changed"]
    for check in (True, False):
        assert keep(namespace, renew=True, check=check)["code"] == "immutable"
        assert keep(namespace, name="Shop", check=check)["code"] == "name_invalid"
        assert keep(namespace, labels={"team": "a b"}, check=check)["code"] == "name_invalid"


def test_missing_rights(namespace: str) -> None:
    kubectl("-n", namespace, "create", "serviceaccount", "looker")
    kubectl("-n", namespace, "create", "role", "looker", "--verb=get", "--resource=secrets")
    binding = ("rolebinding", "looker", "--role=looker", f"--serviceaccount={namespace}:looker")
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    token = kubectl("-n", namespace, "create", "token", "looker").strip()
    way = {"host": server, "api_key": token, "validate_certs": False, "kubeconfig": None}
    blind = keep(namespace, **way)
    assert (blind["code"], "cannot get" in blind["msg"]) == ("forbidden", True)
    kubectl("-n", namespace, "create", *binding)
    refused = keep(namespace, **way)
    assert (refused["code"], "cannot create" in refused["msg"]) == ("forbidden", True)
    assert token not in json.dumps(refused)
    kept(namespace)
    assert not kept(namespace, **way)["changed"]
    assert "cannot update" in keep(namespace, **way, renew=True)["msg"]


def test_a_run_that_lost_its_lease_writes_nothing(namespace: str) -> None:
    old = take(namespace)
    kept(namespace, lease=old)
    assert secret(namespace, "shop-tls")["metadata"]["annotations"]["golive.cutover/token"] == old["token"]
    new = take(namespace, token=5)
    kept(namespace, lease=new, renew=True)
    before = secret(namespace, "shop-tls")["metadata"]["resourceVersion"]
    assert keep(namespace, lease=old, renew=True)["code"] == "lease_lost"
    unaware = call_verb(_Unguarded, **{**OPTIONS, "namespace": namespace, "lease": old, "renew": True})
    assert (unaware["code"], "a later run has written" in unaware["msg"]) == ("lease_lost", True)
    assert secret(namespace, "shop-tls")["metadata"]["resourceVersion"] == before


class _Unguarded:
    """The verb without its own look at the Lease."""

    SPEC = tls_secret.SPEC
    run = staticmethod(tls_secret.run.__wrapped__)


def test_check_mode_without_the_namespace(cluster: dict[str, str]) -> None:
    assert kept("golive-tls-absent", check=True)["changed"]
    assert keep("golive-tls-absent")["code"] == "not_found"


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_both_ways_and_no_key_at_any_verbosity(executable: str, namespace: str, tmp_path: Path) -> None:
    kept(namespace)
    verb = {"golive.cutover.tls_secret": {**OPTIONS, "namespace": namespace}}
    other = {"golive.cutover.tls_secret": {**OPTIONS, "namespace": namespace, "usages": ["client"]}}
    cases = {"unchanged": verb, "would change": {**other, "check_mode": True}}
    inside, module = assert_same(executable, cases, tmp_path / "quiet", "--diff")
    assert inside.result("would change")["reason"] == "usages_differ"
    loud = run_both(executable, {"change": other, "back": verb}, tmp_path / "loud", "--diff", "-vvv")
    key = secret(namespace, "shop-tls")["values"]["tls.key"].decode().splitlines()[1]
    for ran in (inside, module, *loud):
        assert "PRIVATE KEY" not in ran.out
        assert base64.b64encode(b"-----BEGIN PRIVATE").decode()[:20] not in ran.out
        assert key not in ran.out
    # What could show a key does show what is public.
    assert all("BEGIN CERTIFICATE" in ran.out for ran in loud)
