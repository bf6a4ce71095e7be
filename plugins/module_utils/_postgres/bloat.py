# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the tables is empty, estimated from what VACUUM and ANALYZE have left in the catalogue.

The rows that a table has need so many pages; what it has beyond that is bloat. Sizes of page header (24), line pointer
(4) and row header (23, with a bit for each column where one may be NULL), and that a row begins at 8 bytes, are from
PostgreSQL's chapter «Database Page Layout». Rows and pages are those of ``pg_class`` and of one moment; the width of a
row is that of ``pg_stats``, of which everybody sees the tables that he may read. Values that were moved out of the row
(TOAST) are not looked at. Tables that nobody has analysed, that the login may not read, or that are smaller than a
MiB are left out.
"""

from __future__ import annotations

# The largest first; each has two series.
BLOAT = """
SELECT pg_catalog.current_database()::text AS datname, relname,
    (spare / pages)::float8 AS ratio, (spare * block)::float8 AS bytes
FROM (SELECT relname, block, pages, greatest(pages - ceil(
            rows / greatest(floor((block - 24) * fill / (4 + 8 * ceil((head + width) / 8))), 1)), 0) AS spare
    FROM (SELECT format('%s.%s', n.nspname, c.relname) AS relname, c.relpages::numeric AS pages,
            c.reltuples::numeric AS rows, pg_catalog.current_setting('block_size')::numeric AS block,
            coalesce((SELECT split_part(o, '=', 2)::numeric FROM unnest(c.reloptions) o WHERE o LIKE 'fillfactor=%%'),
                100) / 100 AS fill,
            8 * ceil((23 + CASE WHEN s.nullable THEN ceil(s.columns / 8.0) ELSE 0 END) / 8.0) AS head,
            s.width AS width
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
            LATERAL (SELECT count(*) AS columns, bool_or(p.null_frac > 0) AS nullable,
                    sum((1 - p.null_frac) * p.avg_width)::numeric AS width, count(p.attname) AS known
                FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_stats p ON p.schemaname = n.nspname
                    AND p.tablename = c.relname AND p.attname = a.attname AND NOT p.inherited
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS s
        WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.reltuples >= 0
            AND c.relpages * pg_catalog.current_setting('block_size')::bigint >= 1048576
            AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            AND s.columns > 0 AND s.known = s.columns) AS tables) AS estimates
ORDER BY spare * block DESC LIMIT 50"""
