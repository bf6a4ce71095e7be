# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move traffic by shares: stand up, move stage by stage with proof, return on failure; reference 2.3 and 2.5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.access import need_rights
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import Colour, not_up, read_colour
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drivers import (
    ShareDriver,
    Split,
    not_given_back,
    shares,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import WARN, Hazard
from ansible_collections.golive.cutover.plugins.module_utils._traffic.refill import follow_growth, hold_both
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOURS
from ansible_collections.golive.cutover.plugins.module_utils._traffic.scene import Scene, read_scene
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.steps import Record
from ansible_collections.golive.cutover.plugins.module_utils._traffic.waits import wait_up
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Wish

_RETURN_TRIES = 3
_ELSEWHERE = ("lease_lost", "selector_foreign")


class Shift:
    """One move of one app. ``run`` returns the result; a failure says where traffic is in its details."""

    def __init__(
        self, call: Call, client: Client, app: ServiceDriver, driver: ShareDriver, wish: Wish, record: Record
    ) -> None:
        self._call = call
        self._client = client
        self._app = app
        self._driver = driver
        self._wish = wish
        self._record = record
        self._attempted = False
        self._live: str | None = None
        self._hazards: tuple[Hazard, ...] = ()

    @property
    def live(self) -> str | None:
        """The colour that takes all traffic as far as this move knows; None while both do."""
        return self._live

    def read_live(self) -> str | None:
        """The colour that takes all traffic now. Raises GoliveError as the driver's ``read`` does."""
        return self._driver.read().live

    def run(self) -> dict[str, Any]:
        """Raises GoliveError; ``returned`` in its details says whether traffic was switched back."""
        wish = self._wish
        with self._record.step("preflight") as step:
            split = self._driver.read()
            step["weights"] = dict(split.weights)
            self._live = split.live
            scene = read_scene(self._client, self._app, self._app.shared(), wish.accepted)
            self._hazards = scene.hazards
            there = self._driver.reached(split, wish)
            if not there:
                self._preflight(split, scene)
        if self._call.check_mode:
            return self._plan(split, scene, there)
        if there:
            return self._already(split)
        self._attempted = split.leaving is not None or split.live is None
        try:
            self._stand_up(split, scene)
            self._record.start_probing(wish.probe, wish.rate)
            now, proof = self._move(split)
        except GoliveError as error:
            if error.code in _ELSEWHERE or not self._attempted:
                raise
            # What an unfinished move is taken back from was never proven.
            if wish.stays or self._is_return(split):
                raise not_given_back(error, wish.old, self._live) from error
            self._return(error)
        return self._result(split, self._closed(now), proof)

    def _preflight(self, split: Split, scene: Scene) -> None:
        if not self._is_return(split):
            scene.refuse()
        need_rights(self._client, self._app.namespace, self._driver.rights())
        self._hazards = (*scene.hazards, *self._driver.preflight(split, self._wish, scene))
        for hazard in self._hazards:
            if hazard.severity == WARN:
                self._call.warn(f"{hazard.message} {hazard.hint}")

    def _is_return(self, split: Split) -> bool:
        """Whether an unfinished move is only taken back: nothing new gets traffic."""
        return split.leaving == self._wish.to

    def _plan(self, split: Split, scene: Scene, there: bool) -> dict[str, Any]:
        """Check mode: what would be, and what the real run would first wait for."""
        reasons = not_up(scene.colours[self._wish.to], self._driver.needed(split, self._wish, scene.colours))
        if reasons and not there:
            self._call.warn(
                f"{self._app.name}-{self._wish.to} is not up now ({'; '.join(reasons[:3])}): the real run waits"
                f" {self._wish.ready_timeout:g} s for it, then refuses."
            )
        after = split if there else Split(shares(self._wish.to, self._driver.stages(split, self._wish)[-1]))
        return self._result(split, after, None, not there)

    def _already(self, split: Split) -> dict[str, Any]:
        """Traffic is where it should be: prove it, and finish what an interrupted run left unproven."""
        with self._record.step("proof") as step:
            try:
                proof = self._driver.prove(split, self._wish, split.weights)
            except GoliveError as error:
                if split.leaving != self._wish.old or split.live is None:
                    raise
                if self._wish.stays:
                    raise not_given_back(error, self._wish.old, self._live) from error
                self._return(error)
            step["level"] = proof["level"]
        now = self._closed(split)
        return self._result(split, now, proof, now is not split)

    def _stand_up(self, split: Split, scene: Scene) -> None:
        """R1."""
        with self._record.step("stand_up") as step:
            back = self._is_return(split)
            sizes = self._sizes(split, scene.colours)
            held = [] if back else hold_both(self._call, self._client, self._app, sizes)
            new = wait_up(
                self._call,
                self._client,
                self._app,
                self._wish.to,
                sizes[self._wish.to],
                0.0 if back else self._wish.soak,
                self._wish.ready_timeout,
                hopeful=f"{self._app.name}-{self._wish.to}" in held,
                soaked=self._wish.soaked,
            )
            step["pods"] = len(new.pods)

    def _sizes(self, split: Split, colours: Mapping[str, Colour]) -> dict[str, int]:
        """Pods that new needs for its share, and those of old, which may have to take everything back."""
        old = self._wish.old
        return {self._wish.to: self._driver.needed(split, self._wish, colours), old: max(1, colours[old].current)}

    def _follow_growth(self, split: Split) -> None:
        """Old may have grown since R1, and grows as long as it serves."""

        def sizes() -> dict[str, int]:
            namespace, name = self._app.namespace, self._app.name
            now = {colour: read_colour(self._client, namespace, name, colour) for colour in COLOURS}
            return self._sizes(split, now)

        follow_growth(self._call, self._client, self._app, self._wish.to, sizes, self._wish.ready_timeout)

    def _move(self, split: Split) -> tuple[Split, dict[str, Any]]:
        proof: dict[str, Any] = {}
        now = split
        for share in self._driver.stages(split, self._wish):
            weights = shares(self._wish.to, share)
            with self._record.step(f"move_{share}") as step:
                if not self._is_return(split):
                    self._follow_growth(split)
                self._attempted = True
                now = self._driver.move(now, weights, self._wish.old, self._wish)
                self._live = now.live
                proof = self._driver.prove(now, self._wish, weights)
                step["level"] = proof["level"]
        return now, proof

    def _closed(self, split: Split) -> Split:
        """Take the mark of an unfinished move off once one colour has all traffic; the proof is recorded."""
        if split.live is None or split.leaving is None:
            return split
        with self._record.step("close"):
            return self._driver.move(split, split.weights, None, self._wish)

    def _return(self, cause: GoliveError) -> NoReturn:
        """R6: bring all traffic back to the old colour, then raise ``cause`` with how that went."""
        old = self._wish.old
        with self._record.step("return") as step:
            now, moved = self._go_back_or_give_up(cause)
            self._live = old
            if moved:
                step["proof"] = self._prove_return(now)
        details = {**cause.details, "returned": moved, "live": old, "changed": moved}
        outcome = f"Traffic was switched back to {old}." if moved else f"Traffic stays on {old}."
        raise GoliveError(cause.code, f"{cause.message} {outcome}", cause.hint, details) from cause

    def _prove_return(self, now: Split) -> dict[str, Any] | str:
        try:
            return self._driver.prove(now, self._wish, now.weights)
        except GoliveError as error:
            self._call.warn(f"Traffic is set back to {self._wish.old}, but that is not proven: {error.message}")
            return error.message

    def _go_back_or_give_up(self, cause: GoliveError) -> tuple[Split, bool]:
        """Where traffic goes then, and whether it had to be moved."""
        old = self._wish.old
        trouble = cause
        for _try in range(_RETURN_TRIES):
            try:
                now = self._driver.read()
                if now.live == old and now.leaving is None:
                    return now, False
                return self._driver.move(now, shares(old, 100), None, self._wish), True
            except GoliveError as error:
                trouble = error
                if error.code in _ELSEWHERE:
                    break
        patch = self._driver.manual_patch(old)
        raise GoliveError(
            trouble.code if trouble.code in _ELSEWHERE else "return_failed",
            f"{cause.message} Switching back to {old} failed too: {trouble.message}",
            f"Look at both colours, then set it by hand: {patch}",
            {**cause.details, "returned": False, "manual_patch": patch, "cause": cause.code, "changed": True},
        ) from trouble

    def _result(
        self, before: Split, after: Split, proof: dict[str, Any] | None, changed: bool = True
    ) -> dict[str, Any]:
        weights = dict(after.weights)
        shown = self._call.diff_mode and dict(before.weights) != weights
        name = f"{self._driver.kind} weights of {self._app.namespace}/{self._app.name}"
        return {
            "changed": changed,
            "live": after.live,
            "previous": (before.live or before.leaving) if before.live != after.live else before.previous,
            "driver": self._driver.kind,
            "weights": weights,
            "proof": proof,
            "hazards": [hazard.as_dict() for hazard in self._hazards],
            "returned": False,
            **({"diff": [diff_of(name, dict(before.weights), weights)]} if shown else {}),
        }
