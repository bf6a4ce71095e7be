# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``notify``: one message to those who want it, and what became of each delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import own_token
from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import this_holder
from ansible_collections.golive.cutover.plugins.module_utils._notify.deliver import Outcome, deliver, recognised
from ansible_collections.golive.cutover.plugins.module_utils._notify.events import Message, message_of
from ansible_collections.golive.cutover.plugins.module_utils._notify.library import need_apprise
from ansible_collections.golive.cutover.plugins.module_utils._notify.sent import Sent
from ansible_collections.golive.cutover.plugins.module_utils._notify.targets import Target, targets_from, urls_of


def notify(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    need_apprise()
    params = call.params
    _refuse(params)
    targets = targets_from(params)
    return _Work(call, _message(call)).done([target for target in targets if target.wants(params["event"])], targets)


def _refuse(params: Mapping[str, Any]) -> None:
    faults = []
    if params["timeout"] <= 0:
        faults.append("timeout must be above 0.")
    if params["attempts"] < 1:
        faults.append("attempts must be at least 1.")
    if params["key"] and not params["namespace"]:
        faults.append("key needs namespace, where it is remembered what was sent.")
    if faults:
        raise GoliveError("invalid", f"Sending a message was refused: {' '.join(faults)}")


def _message(call: Call) -> Message:
    holder = this_holder()
    who = f"{holder.user} on {holder.host}" + (f", AWX job {holder.job}" if holder.job else "")
    made = message_of(call.params, who, f"{call.date():%Y-%m-%d %H:%M:%S} UTC")
    return _masked(made, call.secrets)


def _masked(message: Message, secrets: Any) -> Message:
    return replace(message, title=mask_text(message.title, secrets), text=mask_text(message.text, secrets))


@dataclass
class _Work:
    call: Call
    message: Message

    def done(self, wanted: list[Target], targets: list[Target]) -> dict[str, Any]:
        params = self.call.params
        before = self._sent_before() if params["key"] and wanted else set()
        rest = [target for target in wanted if target.name not in before]
        found = urls_of(self._asking(), rest)
        urls = {name: url for name, url in found.items() if isinstance(url, str)}
        message = _masked(self.message, urls.values())
        outcomes = recognised(urls) if self.call.check_mode else self._delivered(message, urls)
        undelivered = [
            *(_unfound(name, error) for name, error in found.items() if isinstance(error, GoliveError)),
            *(_row(name, one) for name, one in outcomes.items() if one.cause is not None),
        ]
        good = {name: one for name, one in outcomes.items() if one.cause is None}
        result = {
            "changed": bool(good),
            "title": message.title,
            "text": message.text,
            "wanted": [target.name for target in rest],
            "delivered": [] if self.call.check_mode else [_row(name, one) for name, one in good.items()],
            "undelivered": undelivered,
            "passed_over": [
                {"target": target.name, "reason": "sent before" if target.wants(params["event"]) else "other events"}
                for target in targets
                if target not in rest
            ],
        }
        if self.call.diff_mode:
            text = f"{message.title}\n{message.text}\nTo: {', '.join(good)}\n"
            result["diff"] = [diff_of(f"message {params['event']}", "", text)] if good else []
        self._tell(result)
        return result

    def _delivered(self, message: Message, urls: Mapping[str, str]) -> dict[str, Outcome]:
        params = self.call.params
        outcomes = deliver(self.call, message, urls, params["attempts"], params["timeout"])
        good = [name for name, one in outcomes.items() if one.cause is None]
        if params["key"] and good:
            self._remember(good)
        return outcomes

    def _sent_before(self) -> set[str]:
        try:
            with connected(self._asking()) as client:
                return self._sent(client).to(self.call.params["key"])
        except GoliveError as error:
            self.call.warn(f"What was sent before is not known, so the message may come twice: {error.message}")
            return set()

    def _remember(self, names: list[str]) -> None:
        try:
            with connected(self._asking()) as client:
                self._sent(client).add(self.call.params["key"], names, self.call.date().isoformat(timespec="seconds"))
        except GoliveError as error:
            self.call.warn(f"It was not noted that the message was sent, so it may come twice: {error.message}")

    def _asking(self) -> Call:
        """For the cluster, which is waited for no longer than receivers are."""
        end = self.call.now() + self.call.params["timeout"]
        return replace(self.call, deadline=lambda: min(self.call.deadline(), end))

    def _sent(self, client: Any) -> Sent:
        params = self.call.params
        return Sent(client, params["namespace"], params["app"], own_token(params))

    def _tell(self, result: Mapping[str, Any]) -> None:
        params = self.call.params
        if not result["undelivered"]:
            return
        told = "; ".join(f"{row['target']}: {row['reason']}" for row in result["undelivered"])
        reached = "would not reach" if self.call.check_mode else "did not reach"
        text = f"The message {params['event']} of {params['app']} {reached} {told}."
        if params["strict"]:
            raise GoliveError("not_delivered", text, "See undelivered for each target, then run again.", result)
        self.call.warn(text)


def _row(name: str, outcome: Outcome) -> dict[str, Any]:
    row = {
        "target": name,
        "service": outcome.service,
        "attempts": outcome.attempts,
        "seconds": outcome.seconds,
    }
    if outcome.cause is None:
        return row
    tries = f" after {outcome.attempts} attempts" if outcome.attempts > 1 else ""
    return {**row, "code": outcome.cause.code, "reason": f"{outcome.cause.reason}{tries}"}


def _unfound(name: str, error: GoliveError) -> dict[str, Any]:
    reason = error.message.removesuffix(".")
    return {"target": name, "service": "", "attempts": 0, "seconds": 0.0, "code": error.code, "reason": reason}
