# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which type of PostgreSQL a column becomes, what of it does not fit, and how its values are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import MAX_PREC, Context, Decimal
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.census import (
    BOOLEAN,
    EXACT_REAL,
    JSON,
    NUMERIC,
    OTHER,
    UUID,
    Facts,
    Seen,
    affinity_of,
    hint_of,
    is_utf8,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.encode import (
    JSONB,
    Encode,
    Read,
    chosen,
    fixed,
    numeric,
    prepared,
    varying,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.forms import (
    DATE,
    TIMESTAMP,
    TIMESTAMPTZ,
    TRUTHS,
    date_of,
    decimal_of,
    json_of,
    julian_of,
    timestamp_of,
    timestamptz_of,
    unix_milliseconds_of,
    unix_seconds_of,
    uuid_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import Column

BIGINT, DOUBLE, TEXT, BYTEA, JSONB_TYPE = "bigint", "double precision", "text", "bytea", "jsonb"
TYPES = (BIGINT, DOUBLE, BOOLEAN, TEXT, BYTEA, DATE, TIMESTAMP, TIMESTAMPTZ, UUID, JSONB_TYPE, NUMERIC)
UNITS = {"s": unix_seconds_of, "ms": unix_milliseconds_of, "julian": julian_of}
FAIL = "fail"
_INTEGERS = {"smallint": ("h", 15), "integer": ("i", 31), BIGINT: ("q", 63)}
# A field of PostgreSQL holds less than 1 GB, an element of jsonb less than 256 MB.
_MOST_BYTES, _MOST_JSONB = (1 << 30) - 64, (1 << 28) - 1
_ALIASES = {
    "timestamp without time zone": TIMESTAMP,
    "timestamp with time zone": TIMESTAMPTZ,
    "character varying": TEXT,
    "character": TEXT,
}
_TYPE = re.compile(r"([a-z ]+?)\s*(?:\(([\d, ]+)\))?( with(?:out)? time zone)?\Z")
# As many digits as there are: the usual context rounds to 28.
_EXACT = Context(prec=MAX_PREC)
_TEXTS_LOST = re.compile(r"STRING|CLOB|STR\b", re.IGNORECASE)


@dataclass(frozen=True)
class Policy:
    """What the user has decided about a column; ``type`` is empty where the census decides."""

    type: str = ""
    unit: str = ""
    precision: int | None = None
    scale: int | None = None
    nul: str = FAIL
    encoding: str = FAIL
    invalid: str = FAIL
    naive: str = FAIL
    nocase: str = "review"


@dataclass(frozen=True)
class Finding:
    """Something of a table or column that a user must know; ``policy`` is what would accept it."""

    code: str
    table: str
    column: str
    count: int
    example: str
    what: str
    policy: str = ""

    @property
    def text(self) -> str:
        """In words."""
        place = f"{self.table}.{self.column}" if self.column else self.table
        example = f", such as at key {self.example}" if self.example else ""
        return f"{place}: {self.what}{example}{f' ({self.policy} would accept it)' if self.policy else ''}"


@dataclass
class Choice:
    """A column as it will be. ``altered`` says which of its values are not carried over as they are."""

    column: Column
    type: str
    policy: Policy
    refused: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The type without its modifiers."""
        return base_of(self.type)

    def altered(self, values: Sequence[Any]) -> dict[str, int]:
        """How many of these values a policy, or the type's decimals, changes, by what is done to them."""
        policy, base = self.policy, self.base
        if policy == Policy() and base != NUMERIC:
            return {}
        texts = [value for value in values if isinstance(value, bytes)] if base == TEXT else []
        found = {}
        if policy.nul != FAIL:
            found["nul"] = sum(b"\0" in text for text in texts)
        if policy.encoding != FAIL:
            found["encoding"] = sum(not is_utf8(text) for text in texts)
        _encode, read = _ways(self)
        if policy.invalid != FAIL and read is not None:
            found["null"] = sum(value is not None and _fails(read, value) for value in values)
        if base == NUMERIC and (scale := scale_of(self.type)) is not None:
            found["rounded"] = sum(_rounds(value, scale) for value in values if value is not None)
        return {what: count for what, count in found.items() if count}

    def encoder(self) -> Encode:
        """Writes the column's values. Raises ValueError, KeyError, struct.error or ArithmeticError for what does not
        fit, which a census has ruled out."""
        encode, read = _ways(self)
        if read is None:
            return encode
        return prepared(read if self.policy.invalid == FAIL else _lenient(read), encode)


def _lenient(read: Read) -> Read:
    def read_or_null(value: Any) -> Any:
        try:
            return read(value)
        except (ValueError, KeyError, ArithmeticError):
            return None

    return read_or_null


def _fails(read: Read, value: Any) -> bool:
    try:
        read(value)
    except (ValueError, KeyError, ArithmeticError):
        return True
    return False


def _rounds(value: Any, scale: int) -> bool:
    try:
        number = decimal_of(value)
    except ValueError:
        return False
    return number != number.quantize(Decimal(1).scaleb(-scale), context=_EXACT)


def base_of(type_: str) -> str:
    """``numeric`` of ``numeric(10,2)``, ``timestamptz`` of ``timestamp(3) with time zone``."""
    found = _TYPE.match(type_)
    if not found:
        return type_
    name = f"{found[1]}{found[3] or ''}"
    return _ALIASES.get(name, name)


def looked_for(column: Column, policy: Policy, there: str | None) -> str:
    """Which meaning of its texts a census has to look for; empty when none."""
    wanted = base_of(there or policy.type)
    if not wanted:
        return hint_of(column.declared)
    known = {BOOLEAN: BOOLEAN, UUID: UUID, JSONB_TYPE: JSON, JSON: JSON, NUMERIC: NUMERIC}
    return TIMESTAMP if wanted in (DATE, TIMESTAMP, TIMESTAMPTZ) else known.get(wanted, "")


def decide(table: str, column: Column, rows: int, facts: Facts, policy: Policy, there: str | None = None) -> Choice:
    """What becomes of a column. ``there``: type of the column in a table that exists already."""
    choice = Choice(column, there or _named(policy) or _by_census(column, facts), policy)
    _notice(table, choice, facts)
    for code, seen, what, accepts in _misfits(choice, facts):
        if seen.count:
            finding = Finding(code, table, column.name, seen.count, seen.example, f"{seen.count} {what}", accepts)
            accepted = policy.invalid != FAIL and code in ("mixed", "form", "integer_range")
            (choice.notices if accepted else choice.refused).append(finding)
    if column.key and facts.present < rows:
        missing = rows - facts.present
        what = f"{missing} rows have no key"
        choice.refused.append(Finding("key_null", table, column.name, missing, "", what))
    return choice


def _named(policy: Policy) -> str:
    if policy.type != NUMERIC or policy.precision is None:
        return policy.type
    return f"{NUMERIC}({policy.precision},{policy.scale or 0})"


def _by_census(column: Column, facts: Facts) -> str:
    hint, only = hint_of(column.declared), facts.only
    if not facts.present:
        return _by_name(column.declared)
    if hint == BOOLEAN and only in ("integer", "text", ""):
        return BOOLEAN
    if only == "text":
        return _by_form(hint, facts)
    if only:
        integer = only == "integer" or (only == "number" and affinity_of(column.declared) == "integer")
        return BIGINT if integer else {"real": DOUBLE, "number": DOUBLE, "blob": BYTEA}[only]
    # A mixture: that of most values, so that the others are what is refused.
    most = max(facts.kinds, key=lambda kind: facts.kinds[kind].count)
    return {"integer": BIGINT, "real": DOUBLE, "text": TEXT, "blob": BYTEA}[most]


def _by_form(hint: str, facts: Facts) -> str:
    known = {form: seen.count for form, seen in facts.forms.items() if form != OTHER}
    if hint == TIMESTAMP and known:
        return max(known, key=lambda form: known[form])
    all_of_it = OTHER not in facts.forms and bool(known)
    if hint == UUID and all_of_it:
        return UUID
    return JSONB_TYPE if hint == JSON and all_of_it else TEXT


def _by_name(declared: str) -> str:
    by_hint = {BOOLEAN: BOOLEAN, TIMESTAMP: TIMESTAMP, UUID: UUID, JSON: JSONB_TYPE}.get(hint_of(declared))
    if by_hint:
        return DATE if declared.upper() == "DATE" else by_hint
    affinity = affinity_of(declared)
    if affinity == "blob":
        return BYTEA if declared else TEXT
    return {"integer": BIGINT, "text": TEXT, "real": DOUBLE, "numeric": NUMERIC}[affinity]


def _misfits(choice: Choice, facts: Facts) -> list[tuple[str, Seen, str, str]]:
    """Code, how often, what, and the policy that accepts it."""
    base, policy, kinds = choice.base, choice.policy, facts.kinds
    asked = policy.type != ""
    null = 'invalid: "null"'
    found: list[tuple[str, Seen, str, str]] = []

    def refuse(*names: str, accepts: str = f"a type, such as text, or {null}") -> None:
        found.extend(("mixed", kinds[name], f"values are stored as {name}, not as {base}", accepts) for name in names)

    if base in _INTEGERS:
        refuse("real", "text", "blob", accepts=f"type: double precision or text, or {null}")
        bits = _INTEGERS[base][1]
        if facts.low is not None and facts.high is not None and not -(1 << bits) <= facts.low <= facts.high < 1 << bits:
            what = f"integers of which some are beyond {base} ({facts.low} to {facts.high})"
            found.append(("integer_range", kinds["integer"], what, "a target column of type bigint"))
    elif base == DOUBLE:
        refuse("text", "blob", accepts=f"type: text, or {null}")
        if facts.low is not None and facts.high is not None and max(-facts.low, facts.high) > EXACT_REAL:
            what = "integers of which some are beyond 2^53, which double precision would round"
            found.append(("integer_range", kinds["integer"], what, "type: numeric"))
    elif base == BOOLEAN:
        refuse("real", "blob", accepts=f"type: text, or {null}")
        found.append(("form", facts.no_truths, "integers are neither 0 nor 1", f"type: bigint, or {null}"))
        found.append(("form", _other(facts, BOOLEAN), "texts are no truth values", f"type: text, or {null}"))
    elif base == TEXT:
        if not asked:
            refuse("integer", "real", accepts=f"type: text, or {null}")
            # When rows are sent, blobs and texts are the same bytes: none can be told from the other then.
            found.append(("mixed_bytes", kinds["blob"], "values are stored as blob, not as text", "type: text"))
        found += _text_misfits(policy, facts)
    elif base == BYTEA:
        refuse("integer", "real", accepts=f"type: text, or {null}")
        if not asked:
            accepts = "type: bytea (for texts) or text"
            found.append(("mixed_bytes", kinds["text"], "values are stored as text, not as bytea", accepts))
    elif base in (DATE, TIMESTAMP, TIMESTAMPTZ):
        found += _time_misfits(choice, facts)
    elif base == UUID:
        refuse("integer", "real", "blob", accepts=f"type: text, or {null}")
        found.append(("form", _other(facts, UUID), "texts are no UUIDs in small letters", f"type: text, or {null}"))
    elif base in (JSONB_TYPE, JSON):
        refuse("integer", "real", "blob", accepts=f"type: text, or {null}")
        found.append(("form", _other(facts, JSON), "texts are no JSON that jsonb takes", f"type: text, or {null}"))
    elif base == NUMERIC:
        refuse("blob", accepts=f"type: bytea, or {null}")
        found.append(("form", _other(facts, NUMERIC), "texts are no numbers", f"type: text, or {null}"))
    else:
        found.append(("type_unsupported", Seen(max(1, facts.present)), f"values go into {choice.type}", "type: text"))
    limit = _MOST_JSONB if base == JSONB_TYPE else _MOST_BYTES
    if facts.longest > limit:
        found.append(("too_large", Seen(1), f"or more values are larger than {limit} bytes ({facts.longest})", ""))
    return found


def _other(facts: Facts, form: str) -> Seen:
    """Texts that are not of a form."""
    together = Seen()
    for name, seen in facts.forms.items():
        if name != form:
            together.add(seen.count, seen.example)
    return together


def _text_misfits(policy: Policy, facts: Facts) -> list[tuple[str, Seen, str, str]]:
    found = []
    if policy.nul == FAIL:
        accepts = "nul: strip or replace, or type: bytea"
        found.append(("text_nul", facts.nuls, "texts hold a NUL, which PostgreSQL has no place for", accepts))
    if policy.encoding == FAIL:
        accepts = "encoding: replace, or type: bytea"
        found.append(("text_encoding", facts.not_utf8, "texts are not valid UTF-8", accepts))
    return found


def _time_misfits(choice: Choice, facts: Facts) -> list[tuple[str, Seen, str, str]]:
    base, policy, null = choice.base, choice.policy, 'invalid: "null"'
    numbers = ("integer", "real")
    found = []
    if policy.unit:
        found.append(("mixed", facts.kinds["text"], "texts stand beside numbers", null))
    else:
        accepts = "unit: s, ms or julian with type: timestamptz"
        found += [
            ("mixed", facts.kinds[name], f"values are stored as {name}, not as text", accepts) for name in numbers
        ]
        forms = {base, TIMESTAMP} if base == TIMESTAMPTZ and policy.naive != FAIL else {base}
        accepts = f"type: text, or {null}"
        for form, seen in facts.forms.items():
            if form not in forms:
                what = "texts are no dates or times" if form == OTHER else f"texts have the form of a {form}"
                more = "naive: utc, " if base == TIMESTAMPTZ and form == TIMESTAMP else ""
                found.append(("form", seen, f"{what}, not of a {base}", f"{more}{accepts}"))
    found.append(("mixed", facts.kinds["blob"], "values are stored as blob", null))
    return found


def _notice(table: str, choice: Choice, facts: Facts) -> None:
    column, declared = choice.column, choice.column.declared
    integers = facts.kinds["integer"]
    hint = hint_of(declared)

    def notice(code: str, seen: Seen, what: str) -> None:
        if seen.count:
            choice.notices.append(Finding(code, table, column.name, seen.count, seen.example, f"{seen.count} {what}"))

    if (
        integers.count
        and affinity_of(declared) == "numeric"
        and (hint in (TIMESTAMP, UUID) or _TEXTS_LOST.match(declared))
    ):
        notice(
            "affinity_lost",
            integers,
            f"values of a column declared {declared} are integers: SQLite may have made them of texts, whose leading"
            " zeros were lost then",
        )
    if choice.base == DOUBLE and "DEC" in declared.upper():
        seen = Seen(facts.present, "")
        notice("decimal_double", seen, "decimals are stored as binary reals and stay so (type: numeric rounds them)")
    if choice.base == TEXT and hint in (UUID, JSON):
        notice("stays_text", facts.forms.get(OTHER, Seen()), f"texts are no {hint}, so that the column stays text")
    if choice.base == JSONB_TYPE:
        notice("equal_keys", facts.equal_keys, "objects have a key twice, of which jsonb keeps the last one")
    if choice.policy.nul != FAIL:
        notice("text_nul", facts.nuls, f"texts hold a NUL ({choice.policy.nul})")
    if choice.policy.encoding != FAIL:
        notice("text_encoding", facts.not_utf8, "texts are not valid UTF-8; what is wrong is replaced")
    if choice.base == NUMERIC and facts.kinds["real"].count:
        notice("decimal_double", facts.kinds["real"], f"reals become {choice.type}; how many were rounded is counted")


def _ways(choice: Choice) -> tuple[Encode, Read | None]:
    """How the values are written, and what makes of each what is written."""
    base, policy = choice.base, choice.policy
    if base in _INTEGERS:
        form, bits = _INTEGERS[base]
        return fixed(form), (_integer_reader(bits) if policy.invalid != FAIL else None)
    if base == DOUBLE:
        return fixed("d"), (_real if policy.invalid != FAIL else None)
    if base == BOOLEAN:
        meaning = {value: bytes([truth]) for value, truth in TRUTHS.items()}
        if policy.invalid == FAIL:
            return chosen(meaning.items()), None
        return varying(), meaning.__getitem__
    if base == TEXT:
        special = policy != Policy() or choice.type != TEXT
        return varying(), (_text_reader(policy) if special else None)
    if base in (BYTEA, JSON):
        return varying(), (_bytes if policy.invalid != FAIL else None)
    if base == UUID:
        return varying(), uuid_of
    if base == JSONB_TYPE:
        return varying(JSONB), json_of
    if base == DATE:
        return fixed("i"), date_of
    if base in (TIMESTAMP, TIMESTAMPTZ):
        return fixed("q"), _time_reader(base, policy)
    return varying(), _numeric_reader(choice)


def _integer_reader(bits: int) -> Read:
    def read(value: Any) -> int:
        if not isinstance(value, int) or not -(1 << bits) <= value < 1 << bits:
            raise ValueError("no integer of this size")
        return value

    return read


def _real(value: Any) -> float:
    if isinstance(value, bytes) or (isinstance(value, int) and abs(value) > EXACT_REAL):
        raise ValueError("no number that a double holds")
    return float(value)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("no bytes")
    return value


def _text_reader(policy: Policy) -> Read:
    def read(value: Any) -> bytes:
        if not isinstance(value, bytes):
            if policy.type != TEXT:
                raise ValueError("no text")
            return repr(value).encode()
        if policy.encoding != FAIL:
            value = value.decode(errors="replace").encode()
        if policy.nul == "strip":
            value = value.replace(b"\0", b"")
        elif policy.nul == "replace":
            value = value.replace(b"\0", "\N{REPLACEMENT CHARACTER}".encode())
        return bytes(value)

    return read


def _time_reader(base: str, policy: Policy) -> Read:
    if policy.unit:
        of_unit = UNITS[policy.unit]

        def read(value: Any) -> int:
            if isinstance(value, bytes):
                raise ValueError("no number")
            return of_unit(value)

        return read
    if base == TIMESTAMP:
        return timestamp_of
    if policy.naive == FAIL:
        return timestamptz_of

    def read_naive(value: bytes) -> int:
        try:
            return timestamp_of(value)
        except ValueError:
            return timestamptz_of(value)

    return read_naive


def scale_of(type_: str) -> int | None:
    """Decimals of a numeric type; None where it takes as many as there are."""
    found = _TYPE.match(type_)
    if not found or not found[2]:
        return None
    return int(found[2].partition(",")[2] or 0)


def _numeric_reader(choice: Choice) -> Read:
    scale = scale_of(choice.type)
    unit = None if scale is None else Decimal(1).scaleb(-scale)
    asked = choice.policy.type == NUMERIC

    def read(value: Any) -> bytes:
        number = decimal_of(value)
        if unit is None:
            return numeric(number)
        kept = number.quantize(unit, context=_EXACT)
        if kept != number and not asked:
            raise GoliveError(
                "would_round",
                f"{choice.type} of the column {choice.column.name} would round the value {number}.",
                "Set type: numeric for the column, which accepts and counts that, or give the target more decimals.",
            )
        return numeric(kept)

    return read


def policies_of(options: list[Mapping[str, Any]]) -> dict[str, Policy]:
    """Policies by ``table.column``."""
    return {
        one["name"]: Policy(**{name: value for name, value in one.items() if name != "name" and value is not None})
        for one in options
    }


def literal(default: str | None) -> str | None:
    """A column's default where both sides read it alike: NULL, a number, a text in single quotes; None otherwise."""
    if default is None:
        return None
    text = default.strip()
    plain = re.fullmatch(r"NULL|[+-]?\d+(?:\.\d+)?|'(?:[^'\\]|'')*'", text, re.IGNORECASE)
    return text if plain else None
