# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ConfigMaps and Secrets of which the server's own validation can be foretold.

Its rules for them are few and stable (pkg/apis/core/validation: ValidateConfigMap, ValidateSecret; apimachinery: names,
labels, annotations). When one keeps them all, only rights, a quota or a policy can refuse it, and those of a kind and
namespace are asked by one dry run for all.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MOST_DATA = 1024 * 1024
_MOST_ANNOTATIONS = 256 * 1024
_FIELDS = {
    "ConfigMap": frozenset({"apiVersion", "kind", "metadata", "data", "binaryData", "immutable"}),
    "Secret": frozenset({"apiVersion", "kind", "metadata", "data", "type", "immutable"}),
}
_META = frozenset({"name", "namespace", "labels", "annotations"})


def is_plain_data(obj: Mapping[str, Any]) -> bool:
    """Whether ``obj`` is a ConfigMap or an opaque Secret that keeps every rule of the server's validation."""
    known = _FIELDS.get(obj["kind"]) if obj["apiVersion"] == "v1" else None
    if known is None or not obj.keys() <= known or obj.get("type", "Opaque") != "Opaque":
        return False
    return isinstance(obj.get("immutable", False), bool) and _plain_meta(obj["metadata"]) and _plain_values(obj)


def _plain_meta(meta: Mapping[str, Any]) -> bool:
    labels, annotations = meta.get("labels", {}), meta.get("annotations", {})
    return (
        meta.keys() <= _META
        and len(meta["name"]) <= 253
        and bool(_SUBDOMAIN.fullmatch(meta["name"]))
        and _is_text_map(labels)
        and _is_text_map(annotations)
        and all(_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value) for key, value in labels.items())
        and all(_LABEL_KEY.fullmatch(key.lower()) for key in annotations)
        and sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) < _MOST_ANNOTATIONS
    )


def _plain_values(obj: Mapping[str, Any]) -> bool:
    data, binary = obj.get("data", {}), obj.get("binaryData", {})
    if not _is_text_map(data) or not _is_text_map(binary) or data.keys() & binary.keys():
        return False
    encoded = [*binary.values(), *(data.values() if obj["kind"] == "Secret" else ())]
    size = sum(len(value.encode()) for value in (*data.values(), *binary.values()))
    return (
        size < _MOST_DATA
        and all(_DATA_KEY.fullmatch(key) and key not in (".", "..") for key in (*data, *binary))
        and not any(key.startswith("..") for key in (*data, *binary))
        and all(_is_base64(value) for value in encoded)
    )


def _is_text_map(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
