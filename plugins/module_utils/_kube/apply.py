# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a whole set of objects to the wanted state: read, decide, ask, and write only what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_faults import raise_faults
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_plan import (
    decide,
    deferred,
    dry_run,
    foretell,
    plan_locally,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_prune import (
    check_kinds,
    surplus_jobs,
    versions_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_quota import over_quota
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_read import (
    Job,
    autoscaler_jobs,
    missing_namespaces,
    read_live,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_resolve import resolve
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import (
    DELETED,
    PRUNED,
    READ,
    UNCHANGED,
    Options,
    Step,
    diffs,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_write import delete, write
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MOST_THREADS, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import (
    create_only_paths,
    parse_path,
    scaled_keys,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import own_token, refuse_newer
from ansible_collections.golive.cutover.plugins.module_utils._kube.ordering import PRELUDE
from ansible_collections.golive.cutover.plugins.module_utils._kube.references import mark_references
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import gather


@dataclass
class _Plan:
    """A set on its way: its objects, what is to be pruned, and who waits for a namespace or a kind."""

    steps: list[Step]
    options: Options
    surplus: list[Step] = field(default_factory=list)
    waiting: list[Step] = field(default_factory=list)


def apply_set(call: Call, client: Client) -> dict[str, Any]:
    """Do what the options of ``kube_apply`` say; returns its result.

    Raises GoliveError: all faults that can be found before the first write at once, then those of the wave of writes
    in which the first refusal came, with ``objects`` and ``changed`` for what was written until then.
    """
    params = call.params
    threads = min(max(params["threads"], 1), MOST_THREADS)
    options = Options(params["field_manager"], params["force_conflicts"], threads, own_token(params))
    plan = _Plan(_steps(call, client), options)
    if params["state"] == "absent":
        _remove(call, client, plan)
    else:
        _bring(call, client, plan)
    return _result(call, plan)


def _steps(call: Call, client: Client) -> list[Step]:
    params = call.params
    faults: list[GoliveError] = []
    wanted = gather(params, faults)
    absent = params["state"] == "absent"
    kinds = params["prune_kinds"] if params["prune"] else []
    wrong = check_kinds(kinds)
    steps = resolve(client, wanted, params["namespace"], absent, faults, versions_of([] if wrong else kinds))
    faults += wrong
    if kinds and not wanted and not absent and not faults:
        faults.append(
            GoliveError(
                "set_empty",
                f"Pruning the set {params['set']} was refused: it holds no object, so that everything would go.",
                "Use state: absent to remove a whole set.",
            )
        )
    for rule in params["create_only"]:
        for text in rule["fields"]:
            try:
                parse_path(text)
            except GoliveError as error:
                faults.append(error)
    raise_faults(faults)
    return steps


def _bring(call: Call, client: Client, plan: _Plan) -> None:
    steps, options = plan.steps, plan.options
    if call.params["mark_references"]:
        mark_references(client, steps, options.threads)
    faults, missing = _look(call, client, plan)
    prelude = [step for step in steps if step.key.kind in PRELUDE]
    faults += dry_run(call, client, [step for step in prelude if not step.action], options)
    plan.waiting = deferred(steps, missing)
    faults += _ask(call, client, [step for step in steps if not step.action and step not in plan.waiting], options)
    faults += delete(call, client, plan.surplus, options, PRUNED, check=True)
    raise_faults(faults)
    if call.check_mode:
        plan_locally(plan.waiting)
        return
    if plan.waiting:
        _finished(write(call, client, prelude, options), plan)
        _look_again(call, client, plan)
    _finished(write(call, client, steps, options), plan)
    _finished(delete(call, client, plan.surplus, options, PRUNED, check=False), plan)


def _look(call: Call, client: Client, plan: _Plan) -> tuple[list[GoliveError], set[str]]:
    """Read and decide; returns the faults seen and the namespaces that come with the set."""
    steps, options = plan.steps, plan.options
    scalers: list[dict[str, Any]] = [step.wanted for step in steps if step.key.kind == "HorizontalPodAutoscaler"]
    jobs = autoscaler_jobs(client, steps, scalers, call.warn) + _surplus_jobs(call, client, plan)
    call.progress(f"reading {len(steps)} objects")
    faults = read_live(client, steps, options.threads, jobs)
    _refuse_newer(plan)
    scaled = scaled_keys(scalers)
    for step in steps:
        step.create_only = create_only_paths(step.wanted, scaled, call.params["create_only"])
        if step.terminating:
            faults.append(_terminating(step))
        decide(step, options.manager)
    coming = {step.key.name for step in steps if step.key.kind == "Namespace"}
    lived = {step.key.namespace for step in steps if step.live is not None}
    asked = {step.key.namespace for step in steps if step.live is None and step.key.namespace} - lived
    missing, leaving = missing_namespaces(client, asked, options.threads)
    faults += leaving
    nowhere = missing - coming
    if call.check_mode:
        # An earlier task of the same play may create it when the play is run in earnest.
        for name in sorted(nowhere):
            call.warn(f"The namespace {name} does not exist; what belongs into it is planned without the server.")
    else:
        faults += [_no_namespace(name, steps) for name in sorted(nowhere)]
    # Asking the server about these would only repeat the fault.
    plan_locally(step for step in steps if step.key.namespace in nowhere)
    return faults, missing


def _look_again(call: Call, client: Client, plan: _Plan) -> None:
    """The second look at what had to wait, now that namespaces and kinds are there."""
    fresh = [step for step in plan.waiting if not step.served]
    for step in fresh:
        step.served = True
    faults = read_live(client, fresh, plan.options.threads)
    for step in fresh:
        decide(step, plan.options.manager)
    faults += _ask(call, client, [step for step in plan.waiting if not step.action], plan.options)
    _finished(faults, plan)


def _ask(call: Call, client: Client, steps: list[Step], options: Options) -> list[GoliveError]:
    if not call.check_mode:
        foretell(steps)
    faults = dry_run(call, client, [step for step in steps if not step.action], options)
    return faults + over_quota(client, [step for step in steps if step.live is None], options.threads)


def _surplus_jobs(call: Call, client: Client, plan: _Plan) -> list[Job]:
    params = call.params
    if not params["prune"]:
        return []
    spaces = {step.key.namespace for step in plan.steps} | {params["namespace"] or ""}
    keep = {step.key for step in plan.steps}
    manager = plan.options.manager
    return surplus_jobs(client, params["set"], params["prune_kinds"], spaces - {""}, keep, manager, plan.surplus)


def _remove(call: Call, client: Client, plan: _Plan) -> None:
    steps, options = plan.steps, plan.options
    raise_faults(read_live(client, steps, options.threads, _surplus_jobs(call, client, plan)))
    _refuse_newer(plan)
    going = [step for step in steps if step.live is not None and not step.terminating]
    for step in steps:
        step.action, step.decided_by = UNCHANGED, READ
    planned = ((going, DELETED), (plan.surplus, PRUNED))
    raise_faults(fault for rows, action in planned for fault in delete(call, client, rows, options, action, check=True))
    if not call.check_mode:
        for rows, action in planned:
            _finished(delete(call, client, rows, options, action, check=False), plan)


def _refuse_newer(plan: _Plan) -> None:
    """Raise GoliveError ``lease_lost`` before the first write when a later run has been here."""
    for step in [*plan.steps, *plan.surplus]:
        if step.live is not None and plan.options.token is not None:
            refuse_newer(step.live, plan.options.token)


def _finished(refusals: Iterable[GoliveError], plan: _Plan) -> None:
    """Raise the refusals, if any, together with what had been done before them."""
    done = [step.row() for step in plan.steps if step.done]
    pruned = [step.row() for step in plan.surplus if step.done]
    changed = bool(pruned) or any(row["action"] != UNCHANGED for row in done)
    raise_faults(refusals, {"changed": changed, "objects": done, "pruned": pruned})


def _result(call: Call, plan: _Plan) -> dict[str, Any]:
    surplus = sorted(plan.surplus, key=lambda step: str(step.key))
    rows = [step.row() for step in plan.steps]
    pruned = [step.row() for step in surplus]
    return {
        "changed": bool(pruned) or any(row["action"] != UNCHANGED for row in rows),
        "objects": rows,
        "pruned": pruned,
        "diff": diffs([*plan.steps, *surplus], plan.options.manager) if call.diff_mode else [],
    }


def _terminating(step: Step) -> GoliveError:
    return GoliveError(
        "object_terminating",
        f"Applying {step.key} failed: it is being deleted.",
        "Wait until it is gone, or look at its finalizers.",
    )


def _no_namespace(name: str, steps: Iterable[Step]) -> GoliveError:
    number = sum(step.key.namespace == name for step in steps)
    return GoliveError(
        "namespace_not_found",
        f"Applying to namespace {name} failed: there is no such namespace (objects in it: {number}).",
        "Create it, or put a Namespace object into the set.",
    )
