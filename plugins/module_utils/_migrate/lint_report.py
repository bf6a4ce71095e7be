# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as SARIF for code scanning and as JUnit for test reports; the same findings give the same bytes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import Finding
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import ERROR, INFO, RULES, WARNING

_LEVELS = {ERROR: "error", WARNING: "warning", INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NAME = "golive.cutover.db_migrate_lint"


def sarif(findings: Sequence[Finding], path: str) -> str:
    """A SARIF 2.1.0 log; places are relative to the Git checkout around ``path``, as code scanning wants them."""
    folder = _folder(path)
    used = sorted({one.id for one in findings})
    run = {
        "tool": {"driver": {"name": _NAME, "rules": [_rule(rule) for rule in used]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, folder, used.index(one.id)) for one in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: str) -> dict[str, Any]:
    row = RULES[rule]
    return {
        "id": rule,
        "shortDescription": {"text": f"{row.effect[:1].upper()}{row.effect[1:]}."},
        "help": {"text": row.rewrite},
        "defaultConfiguration": {"level": _LEVELS[row.severity]},
    }


def _result(one: Finding, folder: str, index: int) -> dict[str, Any]:
    facts = {"lock": one.lock, "table": one.table, "rows": one.rows, "size": one.size, "seconds": one.seconds}
    return {
        "ruleId": one.id,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": f"{one.message} {one.rewrite}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"{folder}{one.file}"},
                    "region": {"startLine": one.line},
                }
            }
        ],
        "properties": {"source": one.source, **{key: value for key, value in facts.items() if value not in (None, "")}},
    }


def _folder(path: str) -> str:
    place = Path(path).absolute()
    directory = place.parent if place.is_file() else place
    root = next((one for one in (directory, *directory.parents) if (one / ".git").exists()), directory)
    inside = directory.relative_to(root).as_posix()
    return "" if inside == "." else f"{inside}/"


def junit(findings: Sequence[Finding], files: Sequence[str], failing: Collection[str]) -> str:
    """A JUnit report with one case for each file; findings of the severities ``failing`` are its failures."""
    suite = ElementTree.Element("testsuite", name=_NAME, tests=str(len(files)))
    failed = 0
    for file in files:
        case = ElementTree.SubElement(suite, "testcase", classname="migrations", name=file)
        bad = [one for one in findings if one.file == file and one.severity in failing]
        if bad:
            failed += 1
            title = ", ".join(sorted({one.id for one in bad}))
            failure = ElementTree.SubElement(case, "failure", type=bad[0].id, message=title)
            failure.text = "\n".join(map(line_of, bad))
        rest = [one for one in findings if one.file == file and one.severity not in failing]
        if rest:
            ElementTree.SubElement(case, "system-out").text = "\n".join(map(line_of, rest))
    suite.set("failures", str(failed))
    suites = ElementTree.Element("testsuites", tests=str(len(files)), failures=str(failed))
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def line_of(one: Finding) -> str:
    """A finding as one line of text, without signs that XML cannot hold."""
    takes = f" About {one.seconds:g} s." if one.seconds else ""
    text = f"{one.file}:{one.line}: {one.severity} {one.id}: {one.message}{takes} {one.rewrite}"
    return "".join(sign if sign.isprintable() else " " for sign in text)


def kept(path: str, text: str, check_mode: bool) -> dict[str, str] | None:
    """Put a report into its file; before and after as a diff when that changes it, None when it is there.

    In check mode nothing is written. Raises GoliveError ``report_failed``.
    """
    place = Path(path)
    try:
        before = place.read_text(encoding="utf-8") if place.exists() else ""
        if before == text:
            return None
        if not check_mode:
            _replace(place, text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise GoliveError(
            "report_failed", f"Writing the report {path} failed: {reason}.", "Name a file in a directory that is there."
        ) from error
    return {"before_header": path, "after_header": path, "before": before, "after": text}


def _replace(place: Path, text: str) -> None:
    # A reader never sees half a report.
    descriptor, draft = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
        os.chmod(draft, 0o644)
        os.replace(draft, place)
    except BaseException:
        os.unlink(draft)
        raise
