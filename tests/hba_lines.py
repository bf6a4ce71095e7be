# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of pg_hba.conf that a server takes, and lines that it refuses."""

from __future__ import annotations

TAKEN = (
    "",
    "# a comment",
    "local all all trust",
    "local all postgres peer map=admins",
    'hostssl shop "Anna B" 10.0.0.0/8 scram-sha-256',
    "hostssl shop, search anna, bert all scram-sha-256 # two of each",
    'host "all" +shop_app 192.168.1.5/32 md5',
    "host shop shop 192.168.1.0 255.255.255.0 password",
    "host shop shop ::1/128 reject",
    "host shop shop fe80:: ffff:: reject",
    "host shop shop samenet scram-sha-256",
    "host shop shop db.example.org scram-sha-256",
    "host shop shop .example.org scram-sha-256",
    "host shop shop db_1.example.org scram-sha-256",
    "hostssl shop anna 10.0.0.0/8 cert clientcert=verify-full",
    "hostnossl all all 0.0.0.0/0 reject",
    "hostssl replication copy 10.0.0.0/8 scram-sha-256",
)
REFUSED = (
    "hostssl shop anna ,bert all scram-sha-256",
    "hostsl shop anna 10.0.0.0/8 scram-sha-256",
    "hostssl shop anna 10.0.0.0/8 scram",
    "hostssl shop anna 10.0.0.0/8",
    "hostssl shop anna",
    "hostssl shop",
    "hostssl",
    "local all all",
    "local all all 10.0.0.0/8 trust",
    "hostssl shop anna 10.0.0.0/33 scram-sha-256",
    "hostssl shop anna 10.0.0.5 scram-sha-256",
    "hostssl shop anna ::1 255.0.0.0 scram-sha-256",
    "host shop anna 10.0.0.0/8 cert",
    "host shop anna 10.0.0.0/8 peer",
    "hostssl shop anna 10.0.0.0/8 scram-sha-256 map",
    "hostssl shop anna 10.0.0.0/a scram-sha-256",
    "hostssl shop anna 10.0.0.0/255.0.0.0 scram-sha-256",
)
