# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of Kubernetes objects out of lists, files and YAML text."""

from __future__ import annotations

import base64
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment] # None stands for a missing library

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

SET_LABEL = "golive.cutover/set"
# Kubernetes API conventions: label values.
_LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
_QUOTED = re.compile(r"'[^']{2,}'")
_SERVER_SIDE = ("creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "uid")
_TEXT_VALUES = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}


@dataclass(frozen=True)
class Key:
    """What makes an object one of a kind: API group, kind, namespace ("" for cluster-wide ones) and name."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass
class Wanted:
    """One object as the caller wants it. ``source`` says where it was written, for error messages."""

    obj: dict[str, Any]
    source: str

    @property
    def api_version(self) -> str:
        """Such as ``apps/v1``."""
        return str(self.obj["apiVersion"])

    @property
    def key(self) -> Key:
        """Complete once the namespace has been resolved."""
        return key_of(self.obj)


def key_of(obj: Mapping[str, Any]) -> Key:
    """The key of a complete object, wanted or live."""
    meta = obj["metadata"]
    return Key(group_of(str(obj["apiVersion"])), str(obj["kind"]), str(meta.get("namespace") or ""), str(meta["name"]))


def group_of(api_version: str) -> str:
    """API group of an apiVersion; "" for the core group."""
    return api_version.rpartition("/")[0]


def gather(params: Mapping[str, Any], faults: list[GoliveError]) -> list[Wanted]:
    """All objects of the options ``objects``, ``files`` and ``content``, with the label of ``set``.

    Lists (``kind: List``) are taken apart, ``stringData`` becomes ``data``, what only a server writes is dropped.
    Whatever is wrong is appended to ``faults`` and left out of the result.
    """
    name = params.get("set")
    if name and not _LABEL_VALUE.match(name):
        faults.append(
            GoliveError(
                "set_invalid",
                f"The set name {name!r} is not a label value.",
                "Use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends.",
            )
        )
        name = None
    found: list[Wanted] = []
    for source, raw in _documents(params, faults):
        wanted = _checked(raw, source, faults)
        if wanted:
            if name:
                wanted.obj["metadata"]["labels"] = {**(wanted.obj["metadata"].get("labels") or {}), SET_LABEL: name}
            found.append(wanted)
    return found


def _documents(params: Mapping[str, Any], faults: list[GoliveError]) -> Iterator[tuple[str, Any]]:
    for number, raw in enumerate(params.get("objects") or [], 1):
        yield from _taken_apart(f"objects[{number}]", raw)
    for path in params.get("files") or []:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            faults.append(GoliveError("file_unreadable", f"Reading {path} failed: {reason}.", "Check the path."))
            continue
        yield from _parsed(text, str(path), faults)
    if params.get("content"):
        yield from _parsed(params["content"], "content", faults)


def _parsed(text: str, source: str, faults: list[GoliveError]) -> Iterator[tuple[str, Any]]:
    try:
        documents = list(yaml.load_all(text, Loader=_loader()))
    except GoliveError as error:
        faults.append(GoliveError(error.code, f"Reading {source} {error.message}.", "Remove one of them."))
        return
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}" if mark else ""
        # What PyYAML quotes, and the excerpt that it adds, may be part of a secret.
        reason = _QUOTED.sub("…", getattr(error, "problem", None) or type(error).__name__)
        faults.append(GoliveError("yaml_invalid", f"Reading {source}{place} failed: {reason}.", "Correct the YAML."))
        return
    for number, raw in enumerate(documents, 1):
        if raw is not None:
            yield from _taken_apart(f"{source} document {number}" if len(documents) > 1 else source, raw)


def _loader() -> Any:
    """A safe loader of JSON types: dates stay text, and a key that is written twice is an error."""

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # PyYAML's C part is optional
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            seen: set[str] = set()
            for key_node, _value in node.value:
                key = key_node.value
                if key_node.tag != "tag:yaml.org,2002:merge" and isinstance(key, str):
                    if key in seen:
                        line = key_node.start_mark.line + 1
                        raise GoliveError("yaml_invalid", f"line {line} failed: the key {key!r} is written twice")
                    seen.add(key)
            made: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
            return made

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _taken_apart(source: str, raw: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(raw, Mapping) and raw.get("kind") == "List" and isinstance(raw.get("items"), list):
        for number, item in enumerate(raw["items"], 1):
            yield f"{source} item {number}", item
    else:
        yield source, raw


def _checked(raw: Any, source: str, faults: list[GoliveError]) -> Wanted | None:
    if not isinstance(raw, Mapping):
        faults.append(_fault(source, f"it is a {type(raw).__name__}, not a Kubernetes object"))
        return None
    found = raw.get("metadata")
    meta: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    missing = [key for key in ("apiVersion", "kind") if not isinstance(raw.get(key), str) or not raw[key]]
    if not isinstance(meta.get("name"), str) or not meta["name"]:
        missing.append("metadata.name")
    if missing:
        known = " ".join(str(part) for part in (raw.get("kind"), meta.get("name")) if part)
        faults.append(_fault(f"{source} ({known})" if known else source, f"missing or not text: {', '.join(missing)}"))
        return None
    if "generateName" in meta:
        faults.append(_fault(source, "metadata.generateName makes a new object at every run"))
        return None
    odd = list(_odd_keys(raw))
    if odd:
        names = ", ".join(repr(key) for key in odd)
        faults.append(
            _fault(f"{source} ({raw['kind']} {meta['name']})", f"keys that are not text: {names}; quote them")
        )
        return None
    obj = {key: value for key, value in raw.items() if key != "status" or value}
    obj["metadata"] = {key: value for key, value in meta.items() if key not in _SERVER_SIDE}
    wrong = [
        f"{part}.{key}"
        for part in _TEXT_VALUES.get(obj["kind"], ())
        if obj["apiVersion"] == "v1"
        for key, value in (obj.get(part) or {}).items()
        if not isinstance(value, str)
    ]
    if wrong:
        # The server's own message would show the value.
        faults.append(_fault(f"{source} ({obj['kind']} {meta['name']})", f"not text: {', '.join(wrong)}; quote it"))
        return None
    return Wanted(_without_string_data(obj), source)


def _odd_keys(value: Any) -> Iterator[Any]:
    """Map keys that YAML made a number or a bool of (``yes``, ``80``), anywhere in ``value``."""
    if isinstance(value, Mapping):
        yield from (key for key in value if not isinstance(key, str))
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _odd_keys(item)


def _without_string_data(obj: dict[str, Any]) -> dict[str, Any]:
    # stringData is write-only: server-side apply would never remove a key of it.
    if obj["kind"] != "Secret" or obj["apiVersion"] != "v1" or "stringData" not in obj:
        return obj
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in (obj["stringData"] or {}).items()}
    rest = {key: value for key, value in obj.items() if key != "stringData"}
    return {**rest, "data": {**(obj.get("data") or {}), **encoded}}


def _fault(source: str, reason: str) -> GoliveError:
    return GoliveError("object_invalid", f"Reading {source} failed: {reason}.", "Correct the object.")
