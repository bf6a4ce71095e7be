# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What types and functions mean for a rewrite: which changes of type need none, which calls vary by row."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Token

_TYPE = re.compile(r"(?P<base>[^(\[]+)(?:\((?P<arguments>[\d,]*)\))?(?P<array>\[\])?")
_ZONE_KEPT_SINCE = 12
# The length of the first may grow without a look at the rows; without a length it has no end.
_LENGTHS = {"varchar", "varbit", "timestamp", "timestamptz", "time", "timetz"}
_SAME_BYTES = {("varchar", "text"), ("text", "varchar"), ("cidr", "inet")}
# Volatile ones of pg_catalog and of the common extensions that somebody may write as a default.
_VOLATILE = frozenset(
    [
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
        "gen_random_bytes",
        "random",
        "random_normal",
        "clock_timestamp",
        "timeofday",
        "nextval",
        "setval",
        "currval",
        "lastval",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
        "set_config",
        "pg_advisory_lock",
        "txid_current",
        "pg_current_xact_id",
        "pg_current_wal_lsn",
        "pg_current_wal_insert_lsn",
        "gen_salt",
        "gen_ulid",
        "ulid_generate",
        "nanoid",
    ]
)
_STEADY = frozenset(
    [
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_setting",
        "current_database",
        "current_schema",
        "version",
        "coalesce",
        "nullif",
        "greatest",
        "least",
        "lower",
        "upper",
        "initcap",
        "concat",
        "concat_ws",
        "format",
        "length",
        "trim",
        "btrim",
        "ltrim",
        "rtrim",
        "replace",
        "substr",
        "substring",
        "left",
        "right",
        "md5",
        "sha256",
        "encode",
        "decode",
        "to_char",
        "to_date",
        "to_number",
        "to_timestamp",
        "to_json",
        "to_jsonb",
        "json_build_object",
        "jsonb_build_object",
        "json_build_array",
        "jsonb_build_array",
        "json_object",
        "jsonb_object",
        "make_date",
        "make_time",
        "make_timestamp",
        "make_timestamptz",
        "make_interval",
        "date_trunc",
        "date_part",
        "extract",
        "age",
        "timezone",
        "abs",
        "ceil",
        "ceiling",
        "floor",
        "round",
        "trunc",
        "power",
        "sqrt",
        "mod",
        "sign",
        "exp",
        "ln",
        "log",
        "chr",
        "ascii",
        "repeat",
        "reverse",
        "position",
        "string_to_array",
        "array_to_string",
        "array_length",
        "cardinality",
        "array_fill",
        "int4range",
        "int8range",
        "numrange",
        "tsrange",
        "tstzrange",
        "daterange",
        "inet",
        "host",
        "network",
        "point",
        "box",
        "hstore",
        "row",
        "cast",
        "numeric",
        "varchar",
        "char",
        "text",
        "int4",
        "int8",
        "bit",
        "varbit",
        "timestamp",
        "timestamptz",
        "time",
        "interval",
        "date",
        "uuid_nil",
        "st_makepoint",
    ]
)


@dataclass(frozen=True)
class Function:
    """A call in an expression; ``volatile`` is None for one that only the database can tell of."""

    name: str
    volatile: bool | None


def volatility(expression: Sequence[Token]) -> Iterator[Function]:
    """Each function that the expression calls."""
    for token, after in itertools.pairwise(expression):
        if token.kind in ("word", "name") and after.is_sign("(") and not token.is_word("IN", "ANY", "ALL", "AND", "OR"):
            name = token.identifier
            yield Function(name, True if name in _VOLATILE else False if name in _STEADY else None)


def is_steady(expression: Sequence[Token]) -> bool:
    """Whether it calls nothing but functions that are known to be harmless."""
    return all(function.volatile is False for function in volatility(expression))


def keeps_storage(old: str, new: str, version: int | None) -> bool:
    """Whether a column changes from one type to the other without a rewrite or a look at each row.

    Types as of ``lint_statement.type_of``. The session's TimeZone must be UTC, which the runner sets.
    """
    if old == new:
        return True
    before, after = _TYPE.fullmatch(old), _TYPE.fullmatch(new)
    if before is None or after is None or before["array"] != after["array"]:
        return False
    lengths, wanted = _numbers(before["arguments"]), _numbers(after["arguments"])
    pair = before["base"], after["base"]
    if pair in _SAME_BYTES:
        return not wanted
    if pair in (("timestamp", "timestamptz"), ("timestamptz", "timestamp")):
        return lengths == wanted and (version is None or version >= _ZONE_KEPT_SINCE)
    if pair[0] != pair[1]:
        return False
    if pair[0] in _LENGTHS:
        return not wanted or bool(lengths and wanted[0] >= lengths[0])
    if pair[0] == "numeric":
        scales = [(*numbers, 0)[1] if numbers else None for numbers in (lengths, wanted)]
        return not wanted or bool(lengths and wanted[0] >= lengths[0] and scales[0] == scales[1])
    return False


def _numbers(arguments: str | None) -> tuple[int, ...]:
    return tuple(int(one) for one in (arguments or "").split(",") if one)
