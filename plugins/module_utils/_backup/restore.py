# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_restore``: choose, fetch beside, replay, prove, and tell how long it took and what was lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.archive_listing import (
    listed_archives,
    segment_bytes_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.clocks import clock_faults
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_commands import annotate
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import (
    VERIFIED,
    Backup,
    Info,
    parse_info,
    stamp,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.records import change_record
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import opened_store
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_choice import (
    TYPES,
    Choice,
    Wish,
    choose,
    moment_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_compare import (
    Compared,
    compare,
    copy_query,
    unanswered,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_judge import Judged, judge, padded
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_lock import restored_alone
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_pod import claim, list_job, restore_job
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_report import append_report
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_story import Story, read_story
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import (
    must,
    read_info,
    server_of,
    sidecar,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import delete_job, run_job
from ansible_collections.golive.cutover.plugins.module_utils._kube.job_log import job_log
from ansible_collections.golive.cutover.plugins.module_utils._kube.quantities import amount
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import Reach, reached

_RESTORE, _RESULT, _ASKED = "golive.cutover/restore", "golive.cutover/restored", "golive.cutover/restore-asked"
_LOG_LINES = 20
_KEPT_S = 300
_LIST_S = 120.0
_MARK_S = 60.0
# The level below that of a copy which has come to its target.
_TO_ITS_TARGET = 3
# The API server's answers for a pod that is gone, ends, or has no such container (any more).
_NO_SERVER = ("not_found", "unreachable", "exec_failed", "server_error")
_COMPARE_S = 600.0
_FREE_S = 180.0


def pg_restore(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    return dict(restored_alone(_restored, call))


def _restored(call: Call) -> dict[str, Any]:
    with connected(call) as client:
        return _Restore(call, client).run()


@dataclass(frozen=True)
class _Live:
    """The live database when the restore began, and the number that its next transaction would have had."""

    reach: Reach
    next_xid: int


class _Restore:
    def __init__(self, call: Call, client: Client) -> None:
        self._call = call
        self._client = client
        self._params = {
            **call.params,
            "config_secret": call.params["config_secret"] or f"{call.params['app']}-postgres-backup",
        }
        self._began = call.now()
        self._began_at = call.date()

    def run(self) -> dict[str, Any]:
        """Look, choose, and restore; nothing is written in check mode."""
        found = self._claim()
        told = found and (found["metadata"].get("annotations") or {}).get(_RESULT)
        if found and told:
            self._refuse_other(found)
            return {**json.loads(told), "changed": False}
        image = self._image()
        number = self._params["repository"]
        info = self._listed(image)
        if info is None:
            self._call.warn(
                "The server does not run, and check mode starts no Job to list the backups: which one is not known yet."
            )
            return {
                "changed": True,
                "backup": None,
                "target": None,
                "gap": None,
                "level": None,
                "discarded": self._give_up_volume(),
            }
        backups = info.of(number)
        with opened_store(self._call, self._client, self._row(number), self._params["namespace"]) as store:
            encrypted = any(one.encrypted for one in info.repositories if one.key == number)
            choice = self._chosen(store, backups, encrypted)
            discarded = self._give_up_volume()
            if discarded and not self._only_looks:
                # The server that has left the volume has archived what it had until its end.
                choice = self._chosen(store, backups, encrypted)
            planned = {**_planned(choice), "discarded": discarded}
            if self._only_looks:
                return {**planned, "changed": self._call.check_mode}
            try:
                result = self._restored(planned, image, choice, found)
            except GoliveError as error:
                if error.code == "restore_unproven":
                    self._tell(store, choice, error.details)
                raise
            return {**result, "report": self._tell(store, choice, result)}

    def _chosen(self, store: Store, backups: Sequence[Backup], encrypted: bool) -> Choice:
        archives = listed_archives(store, segment_bytes_of(backups), encrypted)
        choice = choose(backups, archives, _wish(self._params))
        self._refuse_small(choice)
        seen = {f"the end of {choice.backup.id}": choice.backup.stopped, "the last segment": choice.archived}
        for fault in clock_faults(seen, self._call.date()):
            self._call.warn(f"The clocks differ: {fault}.")
        return choice

    @property
    def _only_looks(self) -> bool:
        return self._call.check_mode or bool(self._params["plan_only"])

    def _row(self, number: int) -> Mapping[str, Any]:
        rows: Sequence[Mapping[str, Any]] = self._params["repositories"]
        if not 1 <= number <= len(rows):
            raise GoliveError("invalid", f"There is no repository {number}: repositories has {len(rows)}.")
        return rows[number - 1]

    def _claim(self) -> dict[str, Any] | None:
        """The volume that stays, as an earlier run of this restore has left it. Raises ``volume_exists``."""
        name = self._params["storage"].get("claim")
        found = self._client.get_or_none(self._claim_path()) if name else None
        if found is None or self._discards(found):
            return None
        of = (found["metadata"].get("annotations") or {}).get(_RESTORE)
        if of != self._params["name"]:
            volume = found["spec"].get("volumeName") or "none yet"
            raise GoliveError(
                "volume_exists",
                f"Restoring into the volume {name} was refused: it is there, and"
                + (f" holds the restore {of}." if of else " no restore has made it."),
                f"Name another claim, or give up what is in it by storage.discard: {volume}.",
                {"volume": found["spec"].get("volumeName")},
            )
        return found

    def _asked(self) -> str:
        """What was asked for, as the volume keeps it."""
        names = ("repository", "target", "backup", "timeline", "accept_gap")
        return json.dumps({name: self._params[name] or None for name in names}, sort_keys=True)

    def _refuse_other(self, found: Mapping[str, Any]) -> None:
        """Another wish than that which the volume holds must not pass for done."""
        if found["metadata"]["annotations"].get(_ASKED) == self._asked():
            return
        meta, volume = found["metadata"], found["spec"].get("volumeName")
        raise GoliveError(
            "volume_exists",
            f"Restoring into the volume {meta['name']} was refused: it holds a restore with another target or backup.",
            f"Give up what is in it by storage.discard: {volume}.",
            {"volume": volume},
        )

    def _claim_path(self) -> str:
        return collection_path("PersistentVolumeClaim", self._params["namespace"], self._params["storage"]["claim"])

    def _discards(self, found: Mapping[str, Any]) -> bool:
        # The name of a volume is never given twice: said once, it gives up nothing that came later.
        discard = self._params["storage"].get("discard")
        return bool(discard) and found["spec"].get("volumeName") == discard

    def _give_up_volume(self) -> bool:
        """Delete the claim that was given up, once nobody uses it; whether there is one. A plan only looks."""
        if not self._params["storage"].get("claim"):
            return False
        found = self._client.get_or_none(self._claim_path())
        if found is None or not self._discards(found):
            return False
        if self._only_looks:
            return True
        meta = found["metadata"]
        self._await_unused(meta["name"])
        self._call.alive()
        body = {"preconditions": {"uid": meta["uid"]}}
        self._client.request("DELETE", self._claim_path(), body=body)

        def gone() -> Done[None] | Pending:
            left = self._client.get_or_none(self._claim_path())
            return Done(None) if left is None or left["metadata"]["uid"] != meta["uid"] else Pending("still there")

        wait_for(self._call, gone, what=f"the volume {meta['name']} to be gone", timeout=_FREE_S)
        return True

    def _await_unused(self, claim: str) -> None:
        """Wait until no pod uses the volume: two that restore into it at once spoil each other's files."""
        path = collection_path("Pod", self._params["namespace"])

        def look() -> Done[None] | Pending:
            using = [pod["metadata"]["name"] for pod in self._client.list(path) if _mounts(pod, claim)]
            return Pending(f"used by {', '.join(using)}") if using else Done(None)

        wait_for(self._call, look, what=f"the volume {claim} to be free", timeout=_FREE_S)

    def _image(self) -> str:
        image = self._params["image"]
        if image:
            return str(image)
        try:
            return server_of(self._client, self._params["namespace"], self._params["app"]).image
        except GoliveError as error:
            if error.code != "not_found":
                raise
            raise GoliveError(
                "image_missing",
                f"Restoring {self._params['app']} failed: its server does not run, so nothing tells the image.",
                "Set image.",
            ) from error

    def _listed(self, image: str) -> Info | None:
        """What the repositories hold: asked of the server's pod, or of a Job where that does not answer.

        None where only a Job could tell, and check mode starts none.
        """
        engine = sidecar(self._call, self._client, self._params["namespace"], self._params["app"])
        try:
            return read_info(engine)
        except GoliveError as error:
            if error.code not in _NO_SERVER:
                raise
        if self._call.check_mode:
            return None
        self._call.progress("listing the backups")
        text = self._log_of(list_job(self._params, image), _LIST_S)
        return parse_info(text[text.find("[") :])

    def _log_of(self, definition: Mapping[str, Any], timeout: float) -> str:
        """Run a Job to its end, whatever that is; all that it has written. Raises GoliveError without a log."""
        own = {
            "definition": definition,
            "rerun": True,
            "ttl": _KEPT_S,
            "log_lines": _LOG_LINES,
            "limits": None,
            "timeout": timeout,
        }
        asked = replace(self._call, params={**self._params, **own}, check_mode=False, diff_mode=False)
        try:
            job = run_job(asked, self._client)["job"]
        except GoliveError as error:
            job = error.details.get("job")
            text = job_log(self._client, job) if job and error.code != "timeout" else None
            if job:
                delete_job(self._client.undisturbed(), job)
            if not text:
                raise
            return text
        text = job_log(self._client, job)
        delete_job(self._client.undisturbed(), job)
        if text is None:
            raise GoliveError("result_missing", f"Reading the log of Job {job['name']} failed.", "Run again.")
        return text

    def _refuse_small(self, choice: Choice) -> None:
        size, needed = amount(self._params["storage"]["size"]), choice.backup.database_bytes
        if size is None:
            raise GoliveError("invalid", f"The size {self._params['storage']['size']!r} is no quantity, like 20Gi.")
        if size < needed:
            raise GoliveError(
                "volume_too_small",
                f"Restoring {choice.backup.id} failed: the volume would have {size} bytes, the database has {needed}.",
                "Raise storage.size; the log that is replayed needs room, too.",
                {"needed": needed, "there": size},
            )

    def _restored(
        self, planned: dict[str, Any], image: str, choice: Choice, found: dict[str, Any] | None
    ) -> dict[str, Any]:
        with self._live() as live:
            self._call.alive()
            if found is not None:
                # The pod of a run that was killed may still be at work.
                self._await_unused(found["metadata"]["name"])
            elif self._params["storage"].get("claim"):
                self._make_claim()
            rows = self._params["compare"]
            database = (self._params.get("postgresql") or {}).get("database") or "postgres"
            queries = [(database, copy_query(row)) for row in rows]
            story = read_story(
                self._log_of(restore_job(self._params, image, choice, queries), self._params["timeout"]).splitlines()
            )
            ended = self._call.now()
            compared, silent = self._compared(live, story)
            judged = judge(story, choice, compared, silent)
            result = {
                **planned,
                "changed": True,
                "level": judged.level,
                **_measured(story, ended - self._began),
                "rpo_s": self._lost_s(story, choice, live),
                "ends_at": _ends_at(story, choice),
                "compared": [
                    {"table": one.table, "equal": one.equal, "restored": one.copy, "live": one.live} for one in compared
                ],
            }
            if judged.faults:
                raise _unproven(judged, result)
            self._keep(result)
            return result

    @contextmanager
    def _live(self) -> Iterator[_Live | None]:
        """The live database, where there is something to ask it."""
        if not self._params["compare"]:
            yield None
            return
        with reached(self._call) as reach:
            with connect(reach.call, reach.where, read_only=True) as session:
                next_xid = int(session.value("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))
            yield _Live(reach, next_xid)

    def _compared(self, live: _Live | None, story: Story) -> tuple[list[Compared], list[str]]:
        rows: Sequence[Mapping[str, Any]] = self._params["compare"]
        answers = {name.removeprefix("query_"): text for name, text in story.facts.items() if name.startswith("query_")}
        refused = {
            name.removeprefix("refused_"): text for name, text in story.facts.items() if name.startswith("refused_")
        }
        if live is None or "readwrite" not in story.began:
            return [], []
        compared, silent = [], unanswered(rows, answers, refused)
        with connect(live.reach.call, live.reach.where, read_only=True) as session:
            session.limit_s = _COMPARE_S
            for number, row in enumerate(rows, 1):
                if str(number) not in answers:
                    continue
                try:
                    compared.append(compare(session, row, answers[str(number)]))
                except SqlError as error:
                    silent.append(f"the live database does not tell the rows of {row['table']}: {error}")
        return compared, silent

    def _make_claim(self) -> None:
        body = claim(self._params, {_RESTORE: self._params["name"]})
        path = collection_path("PersistentVolumeClaim", self._params["namespace"])
        self._client.request("POST", path, query={"fieldManager": "golive"}, body=body, retry=False)

    def _keep(self, result: Mapping[str, Any]) -> None:
        """Have the volume tell what is in it, so that a second run has nothing to do."""
        if not self._params["storage"].get("claim"):
            return
        self._call.alive()
        body = {"metadata": {"annotations": {_RESULT: json.dumps(result, sort_keys=True), _ASKED: self._asked()}}}
        self._client.request("PATCH", self._claim_path(), body=body, content_type=MERGE_PATCH)

    def _lost_at(self) -> datetime:
        return moment_of(self._params["lost_at"], "lost_at") if self._params["lost_at"] else self._began_at

    def _lost_s(self, story: Story, choice: Choice, live: _Live | None) -> float | None:
        """Seconds of commits that the copy lacks; None where nothing tells, or the clocks contradict each other."""
        # Places in the log do not tell it: an idle server writes there, too.
        if live is not None and int(story.facts.get("next_xid") or 0) >= live.next_xid:
            return 0.0
        last = story.facts.get("last_commit")
        commit = datetime.fromisoformat(padded(last)) if last else None
        faults = clock_faults({"the last commit": commit}, self._call.date())
        for fault in faults:
            self._call.warn(f"The clocks differ: {fault}.")
        # Without a commit behind the backup, the latest copy has all until its last segment was stored.
        known = commit or (choice.archived if choice.engine_type == TYPES["latest"] else None)
        if faults or known is None or "readwrite" not in story.began:
            return None
        return round(max(0.0, (self._lost_at() - known).total_seconds()), 1)

    def _tell(self, store: Store, choice: Choice, result: Mapping[str, Any]) -> dict[str, str] | None:
        """Have the repository keep what was proven; a store that refuses must not make a good copy a bad one."""
        if not self._params["record"]:
            return None
        try:
            self._mark(store, choice, result)
            return append_report(store, self._report(result))
        except GoliveError as error:
            self._call.warn(f"What the restore has shown is not in the repository: {error.message}")
            return None

    def _report(self, result: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "name": self._params["name"],
            "app": self._params["app"],
            "namespace": self._params["namespace"],
            "started": stamp(self._began_at),
            "kept": bool(self._params["storage"].get("claim")),
            "about": self._params["about"],
            **{key: value for key, value in result.items() if key not in ("changed", "report")},
        }

    def _mark(self, store: Store, choice: Choice, result: Mapping[str, Any]) -> None:
        """The level of the backup: in its record, and where a server runs in the engine's own list, too."""
        level, now = f"L{result['level']}", stamp(self._call.date())
        bad = bool(result.get("faults"))
        if bad and result["level"] == _TO_ITS_TARGET:
            # The archive behind it is damaged, not the backup.
            return
        evidence = {key: result[key] for key in ("reached_lsn", "findings", "compared", "bytes")}
        evidence |= {"by": self._params["name"], "faults": result.get("faults") or []}
        change_record(
            store,
            choice.backup.id,
            lambda record: record.found_bad(now, evidence) if bad else record.verified(level, now, evidence),
        )
        if not bad and choice.backup.annotations.get(VERIFIED, "")[:2] > level:
            # Retention keeps the newest that was proven to the end.
            return
        engine = sidecar(self._call, self._client, self._params["namespace"], self._params["app"])
        marks = {VERIFIED: "" if bad else f"{level} {now}"}
        try:
            must(engine, annotate(choice.backup.id, choice.backup.repo, marks), _MARK_S)
        except GoliveError as error:
            if error.code not in _NO_SERVER:
                raise


def _mounts(pod: Mapping[str, Any], claim: str) -> bool:
    """Whether a pod that has not ended uses the claim."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return False
    volumes = pod["spec"].get("volumes") or []
    return any((one.get("persistentVolumeClaim") or {}).get("claimName") == claim for one in volumes)


def _wish(params: Mapping[str, Any]) -> Wish:
    target = params["target"]
    if target["kind"] in ("time", "lsn", "name") and not target.get("value"):
        raise GoliveError("invalid", f"A target of the kind {target['kind']} needs a value.", "Set target.value.")
    return Wish(target["kind"], target.get("value") or "", params["backup"], params["timeline"], params["accept_gap"])


def _planned(choice: Choice) -> dict[str, Any]:
    return {
        "backup": choice.backup.record(),
        "target": {"type": choice.engine_type, "value": choice.target, "timeline": choice.timeline},
        "gap": choice.gap,
        "level": 2,
    }


def _measured(story: Story, seconds: float) -> dict[str, Any]:
    """Times and places; the copy was read-write as long before the end as the phases behind it took."""
    phases = story.seconds()
    reached_lsn, last = story.facts.get("reached_lsn") or None, story.facts.get("last_commit") or None
    rto = None
    if "readwrite" in story.began:
        behind = story.began.get("end", story.began["readwrite"]) - story.began["readwrite"]
        rto = round(seconds - behind, 1)
    kilobytes = story.facts.get("bytes")
    return {
        "phases": phases,
        "seconds": round(seconds, 1),
        "rto_s": rto,
        "bytes": int(kilobytes) * 1024 if kilobytes else None,
        "reached_lsn": reached_lsn,
        "last_commit": last,
        "findings": story.findings,
    }


def _ends_at(story: Story, choice: Choice) -> dict[str, Any] | None:
    """The transactions of the copy, for counting those of the live database that it lacks."""
    next_xid = story.facts.get("next_xid")
    if not next_xid:
        return None
    return {"next_xid": next_xid, "undone": story.facts.get("undone", "").split(), "timeline": choice.timeline}


def _unproven(judged: Judged, result: Mapping[str, Any]) -> GoliveError:
    return GoliveError(
        "restore_unproven",
        f"Restoring {result['backup']['id']} was proven to level {judged.level} only: {'; '.join(judged.faults)}.",
        "Restore from another backup or repository, or with an earlier target; the live database was not touched.",
        {**result, "changed": True, "faults": judged.faults},
    )
