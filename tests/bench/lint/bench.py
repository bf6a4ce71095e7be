# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recall and false alarms of migration linters on the labelled corpus of this folder.

Ours without a database, ours with squawk as second opinion, squawk alone as it comes, and squawk alone with all it has.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from report import STRONG_MIGRATIONS, markdown  # noqa: E402  # after the path is set

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import lint  # noqa: E402  # see above
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import lint_file  # noqa: E402  # see above
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import INFO, RULES  # noqa: E402  # see above
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_squawk import (  # noqa: E402  # see above
    IDS,
    find_program,
    opinions,
)
from tests.bench.lint.corpus import Case, cases  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "lint.json"
_GOAL = 0.02
# A runner sees to timeouts; squawk's advice to repeat statements and its matters of style are not about safety.
_NOT_SAFETY = ("no-lock-timeout", "no-statement-timeout")
_OPT_IN = (
    "require-enum-value-ordering,ban-add-enum-value,ban-drop-default,ban-set-default,ban-create-policy,ban-drop-policy,"
    "ban-alter-policy-condition,ban-alter-row-level-security,ban-replica-identity,ban-disable-trigger,"
    "ban-drop-trigger,ban-detach-inheritance,ban-replace-view-function,ban-revoke,ban-alter-role-options,"
    "ban-alter-extension,ban-alter-system-options,ban-alter-database-options,ban-set-schema,ban-drop-schema,"
    "ban-drop-type,ban-drop-view,ban-drop-constraint,ban-alter-domain-with-add-constraint,"
    "ban-create-domain-with-constraint,renaming-object,ban-uncommitted-transaction,transaction-nesting"
)
# Ids said of a case.
Told = set[str]


def ours(case: Case) -> Told:
    return {one.id for one in case.findings() if case.expected or one.severity != INFO}


def with_opinion(case: Case) -> Told:
    program = find_program()
    assert program is not None
    file = case.file()
    found = lint([file], applied=[lint_file("before.sql", case.before)], opinions=opinions(program, [file], None))
    return {one.id for one in found if case.expected or one.severity != INFO}


def squawk(case: Case, *options: str) -> Told:
    """Our ids that its findings may mean; for an unsafe case all of them count for it."""
    program = find_program()
    assert program is not None
    command = [program, "--reporter", "json", "--stdin-filepath", f"{case.name}.sql", *options]
    done = subprocess.run(command, input=case.text, capture_output=True, text=True, check=False, cwd="/")
    found: Told = set()
    for row in json.loads(done.stdout or "[]"):
        meant = [one for one in IDS.get(row["rule_name"], ()) if not one.startswith("style-")]
        if case.expected is None:
            meant = [one for one in meant[:1] if one not in _NOT_SAFETY and RULES[one].severity != INFO]
        found.update(meant)
    return found


CONTENDERS: dict[str, Callable[[Case], Told]] = {
    "ours": ours,
    "ours, squawk as second opinion": with_opinion,
    "squawk alone": squawk,
    "squawk alone, told of transactions, all opt-in rules": lambda case: squawk(
        case, *(["--assume-in-transaction"] if case.file().kind == "tx" else []), "--include", _OPT_IN
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="every fourth case of each kind")
    step = 4 if parser.parse_args().sample else 1
    # Comments that allow a rule are ours; no other tool reads them.
    safe = [case for case in cases("safe") if not case.name.startswith("allowed-")][::step]
    unsafe = cases("unsafe")[::step]
    rows = [_judge(name, tell, unsafe, safe) for name, tell in CONTENDERS.items()]
    static = {case.expected for case in unsafe}
    rows.append({"name": "strong_migrations, as documented", "rules_hit": len(static & STRONG_MIGRATIONS)})
    result = {
        "rows": rows,
        "rules": len(static),
        "unsafe": len(unsafe),
        "safe": len(safe),
        "elsewhere": sorted(RULES.keys() - {case.expected for case in cases("unsafe")}),
        "squawk": _version(),
        "machine": _machine(),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))
    print(markdown(result, "tests/bench/lint/run"))
    ok = all(row["rules_hit"] == len(static) and row["false_share"] < _GOAL for row in rows[:2])
    return 0 if ok else 1


def _judge(name: str, tell: Callable[[Case], Told], unsafe: Sequence[Case], safe: Sequence[Case]) -> dict[str, Any]:
    begin = time.monotonic()
    missed = [case for case in unsafe if case.expected not in tell(case)]
    alarms = {case.name: sorted(told) for case in safe if (told := tell(case))}
    seconds = time.monotonic() - begin
    hit = {case.expected for case in unsafe if case not in missed}
    print(f"{name}: missed {[case.name for case in missed]}; false alarms {alarms}", file=sys.stderr)
    return {
        "name": name,
        "rules_hit": len(hit),
        "cases_hit": len(unsafe) - len(missed),
        "missed": [case.name for case in missed],
        "false": alarms,
        "false_share": len(alarms) / len(safe),
        "seconds": seconds,
    }


def _version() -> str:
    done = subprocess.run([str(find_program()), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    sys.exit(main())
