# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a Prometheus, or what speaks its HTTP API: instant values, raw samples and values at steps."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Target, ask_fresh
from ansible_collections.golive.cutover.plugins.module_utils._gate.promql import selectors
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

# Series that ended longer ago than this do not exist any more.
LOOKBACK_S = 600
_PIECE_S = 600
_STEP_S = 5
_SPAN_S = 300
_WRONG = ("bad_data",)
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Series:
    """``points`` are ``(unix seconds, value)`` in order of time; an instant value has one point."""

    labels: Labels
    points: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        inside = ", ".join(f'{name}="{value}"' for name, value in self.labels if name != "__name__")
        return f"{dict(self.labels).get('__name__', '')}{{{inside}}}" if self.labels else "the value"


class Source:
    """One Prometheus, as a check reaches it. Every request is bounded by the check's ``timeout``.

    Its methods raise GoliveError ``prometheus_down`` (no answer, or one that says nothing about the query),
    ``query_wrong`` with the server's reason, or what the tunnel and the Secrets raise.
    """

    def __init__(self, check: Mapping[str, Any], reach: Reach) -> None:
        self._check = check
        self._reach = reach

    def now(self) -> float:
        """The server's own clock, unix seconds."""
        return float(self._ask("query", {"query": "time()"})["result"][0])

    def values(self, query: str, at: float) -> list[Series]:
        """The instant vector, or the scalar, at a time of the server's clock."""
        data = self._ask("query", {"query": query, "time": at})
        if data["resultType"] == "scalar":
            return [Series((), (_point(data["result"]),))]
        if data["resultType"] != "vector":
            raise GoliveError(
                "query_wrong",
                f"Cannot judge {query}: it gives a {data['resultType']}, not values of one time.",
                "Take the range away, or put it into a function such as rate().",
            )
        return [Series(_labels(row), (_point(row["value"]),)) for row in data["result"]]

    def samples(self, selector: str, at: float, seconds: float) -> list[Series]:
        """Raw samples of the last seconds before a time, as they were scraped."""
        data = self._ask("query", {"query": f"{selector}[{max(1, round(seconds))}s]", "time": at})
        return [Series(_labels(row), tuple(map(_point, row["values"]))) for row in data["result"]]

    def history(self, selector: str, at: float, seconds: float) -> list[Series]:
        """The same over a long time, read in pieces, each with series of its own."""
        pieces = [
            self.samples(selector, at - begin, min(_PIECE_S, seconds - begin))
            for begin in range(0, round(seconds), _PIECE_S)
        ]
        return [row for piece in pieces for row in piece]

    def steps(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Values at every step from start to end."""
        asked = {"query": query, "start": start, "end": end, "step": step}
        data = self._ask("query_range", asked)
        return [Series(_labels(row), tuple(map(_point, row["values"]))) for row in data["result"]]

    def age(self, query: str, at: float) -> float | None:
        """Seconds since the newest sample that an expression rests on; None when it has read none for ten minutes."""
        newest: list[float] = []
        for selector in selectors(query):
            rows = self.values(f"max(max_over_time(timestamp({selector})[{LOOKBACK_S}s:{_STEP_S}s]))", at)
            newest += [row.points[0][1] for row in rows]
        return max(0.0, at - max(newest)) if newest else None

    def interval(self, query: str, at: float) -> float | None:
        """Seconds between samples of the series that an expression rests on, seen over five minutes."""
        for selector in selectors(query):
            stamps = f"timestamp({selector})[{_SPAN_S}s:{_STEP_S}s]"
            rows = self.values(f"min((max_over_time({stamps}) - min_over_time({stamps})) / changes({stamps}) > 0)", at)
            if rows:
                return rows[0].points[0][1]
        return None

    def _ask(self, what: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        way = self._reach.way(self._check["name"], self._check["tunnel"])
        base = self._base()
        target = Target(
            url=f"{base}/api/v1/{what}?{urlencode(asked)}",
            header="",
            timeout=self._reach.limit(self._check["timeout"]),
            headers={**self._check["headers"], **self._credentials()},
            address=way.place,
            validate_certs=self._check["validate_certs"],
            ca_cert=self._check["ca_cert"],
        )
        answer = ask_fresh(target)
        if answer.status is None:
            raise way.broken or _down(base, f"{answer.kind}: {answer.cause}")
        try:
            told = json.loads(answer.body)
            if told["status"] == "success":
                return dict(told["data"])
            kind, reason = str(told["errorType"]), str(told["error"])
        except (ValueError, KeyError, TypeError):
            raise _down(base, f"status {answer.status}, which is no answer of its API") from None
        if kind in _WRONG:
            raise GoliveError(
                "query_wrong",
                f"Check {self._check['name']}: Prometheus refused the query {asked['query']}: {reason}.",
                "Correct the query; try it in Prometheus itself.",
            )
        raise _down(base, f"{kind}: {reason}")

    def _base(self) -> str:
        if self._check["url"]:
            return str(self._check["url"]).rstrip("/")
        options = self._check["tunnel"]
        host = f"{options.get('service') or options['pod']}.{options['namespace']}"
        return f"http://{host}{self._check['path'] or ''}".rstrip("/")

    def _credentials(self) -> dict[str, str]:
        login = self._check["login"]
        namespace = (self._check["tunnel"] or {}).get("namespace")
        name = self._check["name"]
        if login.get("token_secret"):
            token = self._reach.secret(f"{name} token", login["token_secret"], namespace)
            return {"Authorization": f"Bearer {token}"}
        if not login.get("username"):
            return {}
        password = self._reach.secret(f"{name} password", login["password_secret"], namespace)
        pair = base64.b64encode(f"{login['username']}:{password}".encode()).decode()
        # It says as much as the password does, should a server quote it.
        self._reach.secrets.add(pair)
        return {"Authorization": f"Basic {pair}"}


def _down(base: str, reason: str) -> GoliveError:
    return GoliveError("prometheus_down", f"Prometheus at {base} cannot be asked: {reason}")


def _labels(row: Mapping[str, Any]) -> Labels:
    return tuple(sorted(row["metric"].items()))


def _point(pair: Any) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
