ALTER TABLE orders ADD COLUMN IF NOT EXISTS seen timestamptz DEFAULT clock_timestamp();
