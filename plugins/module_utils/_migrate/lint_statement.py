# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a statement does, read from its tokens as far as the rules need it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import (
    Cursor,
    Name,
    Token,
    between_commas,
    tokens,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement

_SERIALS = {"serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8", "smallserial": "int2"}
_ALIASES = {
    "int": "int4",
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "decimal": "numeric",
    "character varying": "varchar",
    "character": "char",
    "bpchar": "char",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "double precision": "float8",
    "real": "float4",
    "boolean": "bool",
    "bit varying": "varbit",
}
_COLUMN_ENDS = [
    "NOT",
    "NULL",
    "DEFAULT",
    "CONSTRAINT",
    "CHECK",
    "UNIQUE",
    "PRIMARY",
    "REFERENCES",
    "GENERATED",
    "COLLATE",
    "COMPRESSION",
    "STORAGE",
    "DEFERRABLE",
    "INITIALLY",
]
_DEFAULT_ENDS = [
    "NOT",
    "NULL",
    "CONSTRAINT",
    "CHECK",
    "UNIQUE",
    "PRIMARY",
    "REFERENCES",
    "GENERATED",
    "COLLATE",
    "DEFERRABLE",
    "INITIALLY",
]
_OBJECTS = (
    "MATERIALIZED VIEW",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "TEXT SEARCH CONFIGURATION",
    "ACCESS METHOD",
    "EVENT TRIGGER",
    "OWNED",
    "TABLE",
    "INDEX",
    "VIEW",
    "SCHEMA",
    "TYPE",
    "DOMAIN",
    "SEQUENCE",
    "FUNCTION",
    "PROCEDURE",
    "ROUTINE",
    "AGGREGATE",
    "EXTENSION",
    "POLICY",
    "TRIGGER",
    "RULE",
    "DATABASE",
    "TABLESPACE",
    "ROLE",
    "USER",
    "GROUP",
    "SUBSCRIPTION",
    "PUBLICATION",
    "COLLATION",
    "OPERATOR",
    "CAST",
    "SERVER",
    "STATISTICS",
    "SYSTEM",
    "DEFAULT PRIVILEGES",
    "CONVERSION",
    "LANGUAGE",
)


@dataclass(frozen=True)
class Constraint:
    """``kind`` is check, unique, primary, foreign, exclude or not null; ``text`` is the expression of a check."""

    kind: str
    name: str = ""
    columns: tuple[str, ...] = ()
    text: str = ""
    target: Name | None = None
    target_columns: tuple[str, ...] = ()
    valid: bool = True
    using_index: str = ""


@dataclass(frozen=True)
class Column:
    """A column as it is defined. ``type`` is normalised: ``int8``, ``varchar(20)``, ``numeric(10,2)``, ``text[]``."""

    name: str
    type: str
    not_null: bool = False
    default: str = ""
    default_tokens: tuple[Token, ...] = ()
    generated: str = ""
    automatic: str = ""
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True)
class Index:
    """``columns`` are the plain ones in order; an expression stands as an empty text."""

    name: str
    columns: tuple[str, ...] = ()
    unique: bool = False
    method: str = "btree"
    predicate: str = ""
    valid: bool = True


@dataclass(frozen=True)
class Action:
    """One part of ALTER: ``kind`` is a short phrase of ours, such as ``add column`` or ``set not null``."""

    kind: str
    name: str = ""
    column: Column | None = None
    constraint: Constraint | None = None
    other: Name | None = None
    text: str = ""


@dataclass(frozen=True)
class Parsed:
    """A statement; ``verb`` is such as ``CREATE TABLE`` or ``UPDATE``, ``flags`` are words that change its meaning."""

    statement: Statement
    tokens: tuple[Token, ...]
    verb: str = ""
    target: Name | None = None
    names: tuple[Name, ...] = ()
    actions: tuple[Action, ...] = ()
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    index: Index | None = None
    flags: frozenset[str] = frozenset()

    def has(self, *flags: str) -> bool:
        """Whether all these words are there."""
        return set(flags) <= self.flags

    def line_of(self, token: Token) -> int:
        """The line of a token in the file."""
        return self.statement.line_of(token.at + 1)


def parse(statement: Statement) -> Parsed:
    """Read a statement; what the rules do not look at is left out."""
    items = tokens(statement.text)
    cursor = Cursor(items, statement.text)
    fields = _Reader(cursor, items).read()
    return Parsed(statement, items, **fields)


def type_of(items: Sequence[Token]) -> str:
    """A type's normalised name."""
    words, arguments, array, at = [], "", "", 0
    while at < len(items):
        token = items[at]
        if token.is_sign("("):
            end = next((i for i in range(at, len(items)) if items[i].is_sign(")")), len(items))
            arguments = f"({''.join(one.identifier for one in items[at + 1 : end])})"
            at = end
        elif token.is_sign("["):
            array = "[]"
        elif token.kind in ("word", "name") and not token.is_word("ARRAY"):
            words.append(token.identifier)
        elif token.is_sign("."):
            words.append(".")
        at += 1
    name = " ".join(words).replace(" . ", ".").removeprefix("pg_catalog.")
    name = _SERIALS.get(name, _ALIASES.get(name, name))
    if any(token.is_word("ARRAY") for token in items):
        array = "[]"
    return name + arguments + array


class _Reader:
    def __init__(self, cursor: Cursor, items: tuple[Token, ...]) -> None:
        self._c = cursor
        self._items = items
        self._flags: set[str] = set()

    def read(self) -> dict[str, Any]:
        """The fields of a Parsed."""
        first = self._c.peek()
        word = first.text if first is not None and first.kind == "word" else ""
        method = getattr(self, f"_{word.lower()}", None) if word in _READERS else None
        fields = method() if method else {"verb": word}
        fields.setdefault("verb", word)
        return {**fields, "flags": frozenset(self._flags | set(fields.get("flags", ())))}

    def _flag(self, *words: str, name: str = "") -> bool:
        if self._c.take(*words):
            self._flags.add(name or " ".join(words))
            return True
        return False

    def _create(self) -> dict[str, Any]:
        c = self._c
        c.take("CREATE")
        self._flag("OR", "REPLACE")
        for word in (
            "GLOBAL",
            "LOCAL",
            "TEMPORARY",
            "TEMP",
            "UNLOGGED",
            "RECURSIVE",
            "CONSTRAINT",
            "UNIQUE",
            "TRUSTED",
        ):
            if c.take(word):
                self._flags.add("TEMPORARY" if word == "TEMP" else word)
        kind = self._object()
        if kind == "INDEX":
            return self._create_index()
        if kind == "TABLE":
            return self._create_table()
        self._flag("IF", "NOT", "EXISTS")
        if kind in ("TRIGGER", "RULE", "POLICY", "EVENT TRIGGER"):
            return self._create_on_table(kind)
        target = c.name()
        rest = {token.text for token in c.rest() if token.kind == "word"}
        columns: tuple[Column, ...] = ()
        constraints: tuple[Constraint, ...] = ()
        if kind == "DOMAIN":
            c.take("AS")
            column = self._column_rest("value", c)
            columns, constraints = (column,), column.constraints
        flags = rest & {"ENUM", "CONCURRENTLY", "PASSWORD", "SUPERUSER"}
        return {
            "verb": f"CREATE {kind}",
            "target": target,
            "columns": columns,
            "constraints": constraints,
            "flags": flags,
        }

    def _create_on_table(self, kind: str) -> dict[str, Any]:
        name = self._c.name()
        border = "TO" if kind == "RULE" else "ON"
        self._c.until(border)
        self._c.take(border)
        return {"verb": f"CREATE {kind}", "target": self._c.name(), "names": (name,) if name else ()}

    def _create_index(self) -> dict[str, Any]:
        c = self._c
        self._flag("CONCURRENTLY")
        self._flag("IF", "NOT", "EXISTS")
        name = "" if c.has("ON") else c.identifier()
        c.take("ON")
        self._flag("ONLY")
        target = c.name()
        method = c.identifier() if c.take("USING") else "btree"
        columns = tuple(_plain_column(part) for part in between_commas(c.group() or ()))
        c.until("WHERE")
        predicate = c.text_of(c.rest()) if c.take("WHERE") else ""
        index = Index(name, columns, "UNIQUE" in self._flags, method, predicate)
        return {"verb": "CREATE INDEX", "target": target, "index": index}

    def _create_table(self) -> dict[str, Any]:
        c = self._c
        self._flag("IF", "NOT", "EXISTS")
        target = c.name()
        fields: dict[str, Any] = {"verb": "CREATE TABLE", "target": target}
        if c.take("PARTITION", "OF"):
            parent = c.name()
            fields["names"] = (parent,) if parent else ()
            self._flags.add("PARTITION OF")
            c.group()
            return fields
        columns, constraints = [], []
        for part in between_commas(c.group() or ()):
            inner = Cursor(part, self._text)
            if inner.take("LIKE"):
                self._flags.add("LIKE")
            elif _starts_constraint(inner):
                constraints.append(self._constraint(inner))
            else:
                column = self._column(inner)
                columns.append(column)
                constraints.extend(column.constraints)
        fields["columns"], fields["constraints"] = tuple(columns), tuple(constraints)
        rest = c.rest()
        words = {token.text for token in rest if token.kind == "word"}
        if {"PARTITION", "BY"} <= words:
            self._flags.add("PARTITION BY")
        if "INHERITS" in words:
            self._flags.add("INHERITS")
        if "AS" in words and not columns:
            self._flags.add("AS")
        return fields

    @property
    def _text(self) -> str:
        return self._c._text

    def _object(self) -> str:
        for kind in _OBJECTS:
            if self._c.take(*kind.split()):
                return kind
        return ""

    def _column(self, c: Cursor) -> Column:
        return self._column_rest(c.identifier(), c)

    def _column_rest(self, name: str, c: Cursor) -> Column:
        kind = c.until(*_COLUMN_ENDS)
        written = type_of(kind)
        raw = " ".join(token.identifier for token in kind[:1])
        automatic = "serial" if raw in _SERIALS and len(kind) == 1 else ""
        not_null = bool(automatic)
        default: tuple[Token, ...] = ()
        generated = ""
        constraints: list[Constraint] = []
        label = ""
        while not c.done:
            if c.take("CONSTRAINT"):
                label = c.identifier()
                continue
            if c.take("NOT", "NULL"):
                not_null = True
            elif c.take("DEFAULT"):
                default = c.until(*_DEFAULT_ENDS, least=1)
            elif c.take("GENERATED"):
                c.take("ALWAYS")
                c.take("BY", "DEFAULT")
                c.take("AS")
                if c.take("IDENTITY"):
                    automatic, not_null = "identity", True
                    c.group()
                else:
                    c.group()
                    generated = "virtual" if c.take("VIRTUAL") else "stored" if c.take("STORED") else "virtual"
            elif c.take("CHECK"):
                text = c.text_of(c.group() or ())
                valid = not (c.take("NOT", "VALID") or c.take("NOT", "ENFORCED"))
                constraints.append(Constraint("check", label, (name,), text, valid=valid))
            elif c.take("UNIQUE"):
                constraints.append(Constraint("unique", label, (name,)))
            elif c.take("PRIMARY", "KEY"):
                not_null = True
                constraints.append(Constraint("primary", label, (name,)))
            elif c.take("REFERENCES"):
                constraints.append(self._foreign(c, label, (name,)))
            else:
                c.at += 1
                continue
            label = ""
        return Column(name, written, not_null, c.text_of(default), default, generated, automatic, tuple(constraints))

    def _foreign(self, c: Cursor, label: str, columns: tuple[str, ...]) -> Constraint:
        target = c.name()
        others = tuple(_plain_column(part) for part in between_commas(c.group() or ()))
        return Constraint("foreign", label, columns, target=target, target_columns=others)

    def _constraint(self, c: Cursor) -> Constraint:
        label = c.identifier() if c.take("CONSTRAINT") else ""
        found = self._constraint_body(c, label)
        rest = c.rest()
        words = [token.text for token in rest if token.kind == "word"]
        pairs = set(itertools.pairwise(words))
        valid = not ({("NOT", "VALID"), ("NOT", "ENFORCED")} & pairs)
        return Constraint(
            found.kind, label, found.columns, found.text, found.target, found.target_columns, valid, found.using_index
        )

    def _constraint_body(self, c: Cursor, label: str) -> Constraint:
        if c.take("CHECK"):
            return Constraint("check", label, text=c.text_of(c.group() or ()))
        if c.take("NOT", "NULL"):
            return Constraint("not null", label, (c.identifier(),))
        if c.take("FOREIGN", "KEY"):
            columns = tuple(_plain_column(part) for part in between_commas(c.group() or ()))
            c.take("REFERENCES")
            return self._foreign(c, label, columns)
        if c.take("EXCLUDE"):
            return Constraint("exclude", label)
        kind = "primary" if c.take("PRIMARY", "KEY") else "unique"
        c.take("UNIQUE")
        if c.take("USING", "INDEX"):
            return Constraint(kind, label, using_index=c.identifier())
        c.take("NULLS", "NOT", "DISTINCT")
        return Constraint(kind, label, tuple(_plain_column(part) for part in between_commas(c.group() or ())))

    def _alter(self) -> dict[str, Any]:
        c = self._c
        c.take("ALTER")
        kind = self._object()
        verb = f"ALTER {kind}"
        if kind in ("TABLE", "INDEX", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"):
            self._flag("ALL", "IN", "TABLESPACE")
            self._flag("IF", "EXISTS")
            self._flag("ONLY")
            target = c.name()
            c.sign("*")
            actions = [self._action(Cursor(part, self._text)) for part in between_commas(c.rest())]
            return {"verb": verb, "target": target, "actions": tuple(actions)}
        if kind in ("POLICY", "TRIGGER", "RULE"):
            c.name()
            c.take("ON")
            return {"verb": verb, "target": c.name()}
        self._flag("IF", "EXISTS")
        target = c.name()
        c.group()
        if kind == "DOMAIN" and c.take("ADD"):
            return {"verb": verb, "target": target, "constraints": (self._constraint(c),)}
        actions = [self._action(c)]
        words = {token.text for token in self._items if token.kind == "word"}
        return {"verb": verb, "target": target, "actions": tuple(actions), "flags": words & {"PASSWORD"}}

    def _action(self, c: Cursor) -> Action:
        word = c.take_one("ADD", "DROP", "ALTER", "RENAME", "VALIDATE", "SET", "ATTACH", "DETACH", "ENABLE", "DISABLE")
        method = getattr(self, f"_action_{word.lower()}", None) if word else None
        found: Action | None = method(c) if method else None
        if found is not None:
            return found
        if c.has("FORCE") or c.has("NO", "FORCE"):
            return Action("row security")
        if c.take("REPLICA", "IDENTITY"):
            return Action("replica identity")
        if c.take("INHERIT") or c.take("NO", "INHERIT"):
            return Action("inherit", other=c.name())
        return Action("other", text=c.text_of(c.rest()))

    def _action_add(self, c: Cursor) -> Action:
        if c.take("VALUE"):
            c.take("IF", "NOT", "EXISTS")
            value = c.peek()
            return Action("add value", value.text if value else "")
        if _starts_constraint(c):
            return Action("add constraint", constraint=self._constraint(c))
        c.take("COLUMN")
        conditional = c.take("IF", "NOT", "EXISTS")
        return Action("add column", column=self._column(c), text="IF NOT EXISTS" if conditional else "")

    def _action_drop(self, c: Cursor) -> Action:
        kind = "drop constraint" if c.take("CONSTRAINT") else "drop column"
        c.take("COLUMN")
        c.take("IF", "EXISTS")
        return Action(kind, c.identifier(), text="CASCADE" if any(t.is_word("CASCADE") for t in c.rest()) else "")

    def _action_alter(self, c: Cursor) -> Action | None:
        if c.take("CONSTRAINT"):
            return Action("other", c.identifier())
        c.take("COLUMN")
        name = c.identifier()
        if c.take("SET", "NOT", "NULL"):
            return Action("set not null", name)
        if c.take("DROP", "NOT", "NULL"):
            return Action("drop not null", name)
        if c.take("SET", "DEFAULT"):
            return Action("set default", name, text=c.text_of(c.rest()))
        if c.take("DROP", "DEFAULT"):
            return Action("drop default", name)
        c.take("SET", "DATA")
        if c.take("TYPE"):
            kind = c.until("USING", "COLLATE")
            return Action(
                "retype", name, text=type_of(kind), column=Column(name, type_of(kind), default=c.text_of(c.rest()))
            )
        return Action("column setting", name, text=c.text_of(c.rest()))

    def _action_rename(self, c: Cursor) -> Action:
        if c.take("TO"):
            return Action("rename", c.identifier())
        if c.take("CONSTRAINT"):
            old = c.identifier()
            c.take("TO")
            return Action("rename constraint", old, text=c.identifier())
        if c.take("VALUE"):
            value = c.peek()
            return Action("rename value", value.text if value else "")
        c.take_one("COLUMN", "ATTRIBUTE")
        old = c.identifier()
        c.take("TO")
        return Action("rename column", old, text=c.identifier())

    def _action_validate(self, c: Cursor) -> Action:
        c.take("CONSTRAINT")
        return Action("validate", c.identifier())

    def _action_set(self, c: Cursor) -> Action:
        if c.take("SCHEMA"):
            return Action("set schema", c.identifier())
        if c.has("LOGGED") or c.has("UNLOGGED") or c.has("TABLESPACE") or c.has("ACCESS", "METHOD"):
            return Action("storage", text=c.text_of(c.rest()))
        return Action("setting", text=c.text_of(c.rest()))

    def _action_attach(self, c: Cursor) -> Action:
        c.take("PARTITION")
        child = c.name()
        return Action("attach", other=child, text=c.text_of(c.rest()))

    def _action_detach(self, c: Cursor) -> Action:
        c.take("PARTITION")
        child = c.name()
        return Action("detach", other=child, text=c.take_one("CONCURRENTLY", "FINALIZE"))

    def _action_enable(self, c: Cursor) -> Action:
        c.take_one("ALWAYS", "REPLICA")
        if c.take("ROW"):
            return Action("row security")
        return Action("rule" if c.take("RULE") else "trigger")

    def _action_disable(self, c: Cursor) -> Action:
        return self._action_enable(c)

    def _drop(self) -> dict[str, Any]:
        c = self._c
        c.take("DROP")
        kind = self._object()
        self._flag("CONCURRENTLY")
        self._flag("IF", "EXISTS")
        target = None
        names: tuple[Name, ...]
        if kind in ("TRIGGER", "RULE", "POLICY"):
            name = c.name()
            names = (name,) if name else ()
            c.take("ON")
            target = c.name()
        else:
            names = c.names()
        if any(token.is_word("CASCADE") for token in c.rest()):
            self._flags.add("CASCADE")
        return {"verb": f"DROP {kind}", "target": target, "names": names}

    def _truncate(self) -> dict[str, Any]:
        self._c.take("TRUNCATE")
        self._c.take("TABLE")
        names = self._c.names()
        self._flags.update(token.text for token in self._c.rest() if token.is_word("CASCADE"))
        return {"names": names}

    def _lock(self) -> dict[str, Any]:
        self._c.take("LOCK")
        self._c.take("TABLE")
        names = self._c.names()
        self._flags.update(token.text for token in self._c.rest() if token.kind == "word")
        return {"verb": "LOCK TABLE", "names": names}

    def _update(self) -> dict[str, Any]:
        self._c.take("UPDATE")
        self._c.take("ONLY")
        return self._with_condition(self._c.name())

    def _delete(self) -> dict[str, Any]:
        self._c.take("DELETE", "FROM")
        self._c.take("ONLY")
        return self._with_condition(self._c.name())

    def _with_condition(self, target: Name | None) -> dict[str, Any]:
        self._c.until("WHERE")
        if self._c.take("WHERE"):
            self._flags.add("WHERE")
        return {"target": target, "actions": (Action("where", text=self._c.text_of(self._c.rest())),)}

    def _insert(self) -> dict[str, Any]:
        self._c.take("INSERT", "INTO")
        target = self._c.name()
        if any(token.is_word("SELECT") for token in self._c.rest()):
            self._flags.add("SELECT")
        return {"target": target}

    def _merge(self) -> dict[str, Any]:
        self._c.take("MERGE", "INTO")
        return {"target": self._c.name()}

    def _copy(self) -> dict[str, Any]:
        self._c.take("COPY")
        return {"target": self._c.name()}

    def _with(self) -> dict[str, Any]:
        """What the main statement does; where that only reads or adds, what a part before it changes or deletes."""
        c = self._c
        c.take("WITH")
        c.take("RECURSIVE")
        parts = []
        while c.identifier():
            c.group()
            c.until("AS")
            c.take("AS")
            c.take("NOT")
            c.take("MATERIALIZED")
            parts.append(c.group() or ())
            if not c.sign(","):
                break
        main = self._changes(c)
        inner = next((one for one in parts if one and one[0].is_word("UPDATE", "DELETE", "MERGE")), None)
        if main["verb"] in ("SELECT", "INSERT") and inner is not None:
            return self._changes(Cursor(inner, self._text))
        return main

    def _changes(self, c: Cursor) -> dict[str, Any]:
        first = c.peek()
        verb = first.text if first is not None and first.is_word("UPDATE", "DELETE", "INSERT", "MERGE") else "SELECT"
        if verb == "SELECT":
            return {"verb": verb}
        self._c = c
        fields: dict[str, Any] = getattr(self, f"_{verb.lower()}")()
        return {**fields, "verb": verb}

    def _reindex(self) -> dict[str, Any]:
        c = self._c
        c.take("REINDEX")
        options = c.group() or ()
        kind = c.take_one("TABLE", "INDEX", "SCHEMA", "DATABASE", "SYSTEM")
        if c.take("CONCURRENTLY") or any(token.is_word("CONCURRENTLY") for token in options):
            self._flags.add("CONCURRENTLY")
        name = c.name()
        table = {"target": name} if kind == "TABLE" else {}
        return {"verb": f"REINDEX {kind}", "names": (name,) if name else (), **table}

    def _vacuum(self) -> dict[str, Any]:
        self._c.take("VACUUM")
        options = [*(self._c.group() or ())]
        while word := self._c.take_one("FULL", "FREEZE", "VERBOSE", "ANALYZE"):
            self._flags.add(word)
        self._flags.update(token.text for token in options if token.is_word("FULL"))
        if any(one.is_word("FULL") and after.is_word("FALSE", "OFF") for one, after in itertools.pairwise(options)):
            self._flags.discard("FULL")
        names = self._c.names()
        return {"names": names, "target": names[0] if names else None}

    def _cluster(self) -> dict[str, Any]:
        self._c.take("CLUSTER")
        self._c.group()
        self._c.take("VERBOSE")
        name = self._c.name()
        if self._c.take("ON"):
            name = self._c.name()
        return {"target": name}

    def _refresh(self) -> dict[str, Any]:
        self._c.take("REFRESH", "MATERIALIZED", "VIEW")
        self._flag("CONCURRENTLY")
        name = self._c.name()
        self._flag("WITH", "NO", "DATA")
        return {"verb": "REFRESH", "target": name}


_READERS = frozenset(
    [
        "CREATE",
        "ALTER",
        "DROP",
        "TRUNCATE",
        "LOCK",
        "UPDATE",
        "DELETE",
        "INSERT",
        "MERGE",
        "COPY",
        "WITH",
        "REINDEX",
        "VACUUM",
        "CLUSTER",
        "REFRESH",
    ]
)


def _starts_constraint(c: Cursor) -> bool:
    first, second = c.peek(), c.peek(1)
    if first is None or first.kind != "word":
        return False
    if first.text in ("CONSTRAINT", "CHECK", "EXCLUDE"):
        return True
    if first.text == "UNIQUE":
        return second is not None and (second.is_sign("(") or second.is_word("USING", "NULLS"))
    return c.has("PRIMARY", "KEY") or c.has("FOREIGN", "KEY") or c.has("NOT", "NULL")


def _plain_column(part: Sequence[Token]) -> str:
    """The column's name, or nothing for an expression."""
    plain = part and part[0].kind in ("word", "name") and not (len(part) > 1 and part[1].is_sign("("))
    return part[0].identifier if plain else ""


_NOT_NULL = re.compile(r'^\(*\s*"?(?P<column>[\w$]+)"?\s+is\s+not\s+null\s*\)*$', re.IGNORECASE)


def columns_not_null(expression: str) -> set[str]:
    """Columns that a check proves to be there: of its parts ``c IS NOT NULL`` joined by AND."""
    found = set()
    for part in re.split(r"\band\b", expression, flags=re.IGNORECASE):
        match = _NOT_NULL.match(part.strip())
        if match:
            found.add(match["column"].lower())
    return found if not re.search(r"\bor\b", expression, re.IGNORECASE) else set()
