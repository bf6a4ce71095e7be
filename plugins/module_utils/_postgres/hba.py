# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with lines of pg_hba.conf: a server that runs ignores such a file, and one that starts ends with it.

The rules are those of the PostgreSQL documentation, "The pg_hba.conf File".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_LOCAL = "local"
_TYPES = (_LOCAL, "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")
_METHODS = (
    "trust",
    "reject",
    "scram-sha-256",
    "md5",
    "password",
    "gss",
    "ident",
    "peer",
    "ldap",
    "radius",
    "cert",
    "pam",
)
_ONLY = {"peer": (_LOCAL,), "cert": ("hostssl",), "gss": _TYPES[1:], "ident": _TYPES[1:]}
_WORDS = ("all", "samehost", "samenet")
_HOST = re.compile(r"^\.?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
# A quote may begin in the middle of a word; a list goes on behind its comma.
_FIELD = re.compile(r'(?:"[^"]*"|,\s*|[^\s,"#])+')


def hba_faults(lines: Sequence[str]) -> list[str]:
    """What the server would refuse, by line; empty for lines that it takes. Names are not looked up."""
    found = []
    for line in lines:
        fault = "it holds a line break" if "\n" in line or "\r" in line else _fault_of(_fields_of(line), line)
        if fault:
            found.append(f"{line.strip()!r}: {fault}")
    return found


def refused_lines(session: Session) -> list[str]:
    """What the server says of the lines in its file as it is now, read or not."""
    # It starts with a line that only matches nobody, such as hostssl without TLS.
    rows = session.rows(
        "SELECT line_number, error FROM pg_catalog.pg_hba_file_rules"
        " WHERE error IS NOT NULL AND error NOT LIKE '%% cannot match because %%' ORDER BY line_number"
    )
    return [f"line {row['line_number']}: {row['error']}" for row in rows]


def _fields_of(line: str) -> list[str]:
    bare = re.sub(r'("[^"]*")|#.*', lambda match: match[1] or "", line)
    return _FIELD.findall(bare)


def _fault_of(fields: list[str], line: str) -> str:
    if line.count('"') % 2:
        return "a quotation mark is not closed"
    if not fields:
        return ""
    kind, rest = fields[0], fields[1:]
    if kind not in _TYPES:
        return f"it begins with {kind!r}, not with one of {', '.join(_TYPES)}"
    if any(field.startswith("@") for field in rest[:2]):
        return "it names a file, and the container has none"
    wanted = (
        ("a database", "a user", "a method") if kind == _LOCAL else ("a database", "a user", "an address", "a method")
    )
    if len(rest) < len(wanted):
        return f"{wanted[len(rest)]} is missing"
    rest = rest[2:]
    if kind != _LOCAL:
        fault, rest = _address(rest)
        if fault:
            return fault
    return _method(kind, rest)


def _address(fields: list[str]) -> tuple[str, list[str]]:
    """What is wrong with the address, and what comes behind it and its mask."""
    address, rest = fields[0].strip('"'), fields[1:]
    if address in _WORDS:
        return "", rest
    if "/" in address:
        try:
            ip_network(address, strict=False)
        except ValueError:
            return f"{address!r} is no network", rest
        # A mask in points is written behind the address instead.
        return ("" if address.rpartition("/")[2].isdigit() else f"{address!r} is no network"), rest
    try:
        version = ip_address(address).version
    except ValueError:
        return (
            "" if _HOST.match(address) and not address.replace(".", "").isdigit() else f"{address!r} is no address"
        ), rest
    try:
        masked = bool(rest) and ip_address(rest[0]).version == version
    except ValueError:
        masked = False
    return ("" if masked else f"{address} needs a mask, such as {address}/{32 if version == 4 else 128}"), rest[1:]


def _method(kind: str, fields: list[str]) -> str:
    if not fields:
        return "a method is missing"
    method, options = fields[0], fields[1:]
    if method not in _METHODS:
        return f"{method!r} is no method; there are {', '.join(_METHODS)}"
    if kind not in _ONLY.get(method, _TYPES):
        return f"the method {method} goes with {', '.join(_ONLY[method])} alone"
    odd = [option for option in options if "=" not in option]
    return f"{odd[0]!r} is no option: it has no =" if odd else ""
