# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take secrets out of what people read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MASK = "********"
_TEXT_FIELDS = ("stringData", "data")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def mask_text(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret inside ``text``; longest first, so that a secret within a secret leaves nothing behind."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def mask_value(value: Any, secrets: Iterable[str]) -> Any:
    """The same for JSON types, at any depth; keys stay."""
    known = frozenset(secrets)
    if isinstance(value, str):
        return mask_text(value, known)
    if isinstance(value, Mapping):
        return {key: mask_value(item, known) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_value(item, known) for item in value]
    return value


def mask_secret_objects(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Two states of one Kubernetes object as a diff may show them.

    Values of a Secret are masked; a value that differs is marked so that the change shows and the value does not (no
    digest: a short one would confirm a guessed password). Other kinds come back as they are.
    """
    return _masked(before, after, "old"), _masked(after, before, "new")


def _masked(obj: dict[str, Any] | None, other: dict[str, Any] | None, mark: str) -> dict[str, Any] | None:
    if obj is None or obj.get("kind") != "Secret":
        return obj
    shown = {key: value for key, value in obj.items() if key not in _TEXT_FIELDS}
    meta = obj.get("metadata") or {}
    if _LAST_APPLIED in (meta.get("annotations") or {}):
        shown["metadata"] = {**meta, "annotations": {**meta["annotations"], _LAST_APPLIED: MASK}}
    for name in _TEXT_FIELDS:
        if name in obj:
            others = (other or {}).get(name) or {}
            shown[name] = {
                key: MASK if others.get(key) == value else f"{MASK} ({mark})"
                for key, value in (obj[name] or {}).items()
            }
    return shown
