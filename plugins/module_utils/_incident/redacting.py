# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take out what looks like a secret: an incident's file is passed on to many people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import MASK, mask_text

_NAME = (
    r"[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w.-]*"
)
_SECRET_NAME = re.compile(rf"^{_NAME}$", re.IGNORECASE)
# Names that only say where a secret lies.
_PLACES = frozenset({"secretname", "secret_name", "resume_token"})
_RULES = (
    # The login of a URL, and the path of a webhook whose path is the secret.
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s/@:]*):[^\s/@]+@", re.IGNORECASE), rf"\1:{MASK}@"),
    (re.compile(r"(https://hooks\.slack\.com/)\S+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(rf"(?<![\w.-])({_NAME})(\"?\s*[=:]\s*\"?)[^\s\",;&]+", re.IGNORECASE), rf"\1\2{MASK}"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), MASK),
)


def redacted_text(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without known secrets and without what has the form of one."""
    text = mask_text(text, secrets)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redacted(value: Any, secrets: Iterable[str] = ()) -> Any:
    """The same for JSON types, at any depth; texts under the name of a secret are masked whole."""
    known = frozenset(secrets)
    if isinstance(value, str):
        return redacted_text(value, known)
    if isinstance(value, Mapping):
        return {
            str(key): MASK if isinstance(item, str) and item and _is_secret(str(key)) else redacted(item, known)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redacted(item, known) for item in value]
    return value


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.match(name)) and name.lower() not in _PLACES
