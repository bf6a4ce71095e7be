# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate_lint``: which files, what is known of the database, and what comes of the findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, Order
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import NATIVE, read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import Finding, counts, lint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_catalogue import Catalogue
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import (
    LintFile,
    lint_migration,
    read_files,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_report import junit, kept, line_of, sarif
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import SEVERITIES
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_squawk import find_program, opinions
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, find_order, placed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rewrite_files import (
    as_written,
    rewritten_files,
    with_files,
)
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached

FAIL_ON = ("error", "warning", "never")
_FAILING = {"error": SEVERITIES[:1], "warning": SEVERITIES[:2], "never": ()}
# Looks are short; one at the rows of a large table is given up and leaves the question open.
_LIMITS = Limits(lock=3, statement=10)
_SHOWN = 10


@dataclass(frozen=True)
class _Judged:
    files: Sequence[LintFile]
    findings: Sequence[Finding]
    version: int | None


def lint_verb(call: Call) -> dict[str, Any]:
    """The result as the module documents it. Raises GoliveError ``lint_failed`` with the findings, or another one."""
    if not wants_database(call.params):
        return _finished(call, *_rewritten(call, partial(_without_database, call)))
    with reached(call) as reach:
        with connect(reach.call, reach.where, limits=_LIMITS, read_only=True) as session:
            applied: list[Applied] = []
            if call.params["pending_only"]:
                applied = Ledger(call.params["schema"], call.params["table"]).read(session)

            def judged(params: Mapping[str, Any]) -> _Judged:
                _before, files = _parted(params, applied, call.alive)
                catalogue = Catalogue(session)
                return _judged(params, files, (), catalogue, catalogue.version)

            found = _rewritten(call, judged)
        return reach.masked(_finished(call, *found))


def pending_findings(session: Session, pending: Iterable[Migration]) -> list[dict[str, Any]]:
    """Findings of files that are not applied, as rows; no rows of tables are read for it."""
    files = [lint_migration(one) for one in pending if not one.fault]
    catalogue = Catalogue(session, ask_rows=False)
    return [one.row() for one in lint(files, source=catalogue, version=catalogue.version)]


def wants_database(params: Mapping[str, Any]) -> bool:
    """Whether an option says where a database is; the environment alone is no reason to look for one."""
    options = {**(params.get("postgresql") or {})}
    options.pop("connect_timeout", None)
    return bool(params.get("tunnel")) or any(value is not None for value in options.values())


def _without_database(call: Call, params: Mapping[str, Any]) -> _Judged:
    before, files = _parted(params, [], call.alive)
    return _judged(params, files, before, None, params["server_version"])


def _rewritten(call: Call, judge: Callable[[Mapping[str, Any]], _Judged]) -> tuple[_Judged, dict[str, str]]:
    """What is judged in the end, and the texts of files that are to be written for it, by name."""
    params = call.params
    judged = judge(params)
    if not params["rewrite"]:
        return judged, {}
    if params["head"] is None and not wants_database(params):
        raise GoliveError(
            "invalid",
            "Rewriting needs to know which files are applied: those never change.",
            "Give head, 0 when none is applied, or say where the database is.",
        )
    if params["layout"] != NATIVE:
        raise GoliveError(
            "invalid",
            f"Rewriting files of the layout {params['layout']} is not possible: they are another tool's.",
            "Leave rewrite out.",
        )
    place = Path(params["path"])
    names = [one.name for one in ((place,) if place.is_file() else place.iterdir())]
    texts = rewritten_files(judged.files, judged.findings, names)
    return (with_files(params["path"], texts, lambda path: judge({**params, "path": path})) if texts else judged), texts


def _parted(
    params: Mapping[str, Any], applied: Sequence[Applied], alive: Callable[[], None]
) -> tuple[list[LintFile], list[LintFile]]:
    """What was applied before, and what is linted."""
    head, done = params["head"], {row.order for row in applied}
    if params["layout"] != NATIVE:
        found = placed(read_layout(params["path"], params["layout"], alive), applied)
        newest: Order = () if head is None else find_order(str(head), found, applied)
        old = [lint_migration(one) for one in found if one.order in done or one.order <= newest]
        return old, [lint_migration(one) for one in found if one.order not in done and one.order > newest]
    if head is not None and not str(head).isdigit():
        raise GoliveError("invalid", f"Cannot lint from the version {head}: it is not a number.", "Name one in head.")
    number = int(head) if head is not None else -1
    files = read_files(params["path"])
    old = [one for one in files if one.number is not None and (one.number <= number or (one.number,) in done)]
    return old, [one for one in files if one not in old]


def _judged(
    params: Mapping[str, Any],
    files: Sequence[LintFile],
    before: Sequence[LintFile],
    catalogue: Catalogue | None,
    version: int | None,
) -> _Judged:
    program = find_program() if params["second_opinion"] else None
    found = lint(
        files,
        applied=before,
        source=catalogue,
        version=version,
        with_style=params["style"],
        opinions=opinions(program, files, version) if program else (),
    )
    return _Judged(files, found, version)


def _finished(call: Call, judged: _Judged, texts: Mapping[str, str]) -> dict[str, Any]:
    params, findings = call.params, judged.findings
    failing = _FAILING[params["fail_on"]]
    names = [one.file for one in judged.files]
    folder = Path(params["path"]).parent if Path(params["path"]).is_file() else Path(params["path"])
    diffs = [kept(str(folder / name), as_written(folder / name, text), call.check_mode) for name, text in texts.items()]
    if params["sarif"]:
        diffs.append(kept(params["sarif"], sarif(findings, params["path"]), call.check_mode))
    if params["junit"]:
        diffs.append(kept(params["junit"], junit(findings, names, failing), call.check_mode))
    result: dict[str, Any] = {
        "changed": any(diffs),
        "findings": [one.row() for one in findings],
        "counts": counts(findings),
        "files": names,
        "rewritten": [*texts],
        "server_version": judged.version,
        "second_opinion": params["second_opinion"] and find_program() is not None,
    }
    if call.diff_mode:
        result["diff"] = [one for one in diffs if one]
    bad = [one for one in findings if one.severity in failing]
    if bad:
        raise _failure(params["path"], bad, result)
    return result


def _failure(path: str, bad: Sequence[Finding], result: Mapping[str, Any]) -> GoliveError:
    lines = [line_of(one) for one in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        lines.append(f"and {len(bad) - _SHOWN} more, which are in findings.")
    return GoliveError(
        "lint_failed",
        f"The migrations in {path} are not safe to run: {len(bad)} found.\n" + "\n".join(lines),
        "Rewrite the statements, or write -- golive: allow <rule>: <reason> above one that is safe here.",
        result,
    )
